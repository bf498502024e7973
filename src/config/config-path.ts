/** Keys and list indices from the root of the configuration to one place in it. */
export type ConfigPath = readonly (string | number)[];

/** As people write it: `routes[2].allow.groups`; keys that would be misread are quoted: `claims["custom:team"]`. */
export function dotted(path: ConfigPath): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (!/^[\w-]+$/.test(step)) text += `[${JSON.stringify(step)}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text;
}

/** A path as the key of a map. */
export function pathKey(path: ConfigPath): string {
  return JSON.stringify(path);
}

/** Whether `inner` is `outer` or lies beneath it. */
export function isWithin(inner: ConfigPath, outer: ConfigPath): boolean {
  return outer.length <= inner.length && outer.every((step, index) => step === inner[index]);
}

/** Whether the value is a mapping, as opposed to a list or a scalar. */
export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at a path, or undefined where the path leads nowhere. */
export function valueAt(root: unknown, path: ConfigPath): unknown {
  let value = root;
  for (const step of path) {
    if (typeof step === 'number' ? !Array.isArray(value) : !isMapping(value)) return undefined;
    if (!Object.hasOwn(value as object, step)) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}
