/** Goes on with a value at once where it is there already, so that what need not wait does not. */
export function next<T, R>(value: T | Promise<T>, use: (value: T) => R | Promise<R>): R | Promise<R> {
  return value instanceof Promise ? value.then(use) : use(value);
}
