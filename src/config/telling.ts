import { type ConfigPath, pathKey } from './config-path.ts';
import { describeValue } from './describe-value.ts';

/** What messages about one configuration may repeat of it: they are printed and logged, and secrets must not be. */
export interface Telling {
  /**
   * `, got ...` for the end of a sentence.
   * @param secret a secret is expected there, or in it: whatever stands in its place may be one
   */
  got(path: ConfigPath, value: unknown, secret: boolean): string;
  /** A name in quotes, or where it comes from. */
  name(path: ConfigPath, name: string): string;
  /** `the file ...` */
  file(path: ConfigPath, file: string): string;
  /** Whether a path may hold something else than a path: a secret that was put in its place. */
  isDoubtful(path: ConfigPath, file: string): boolean;
}

/** What no path looks like, and URLs with a password and keys in PEM do; `resolve` has left one slash of two. */
const NO_PATH = /:\/|\n/;

/** @param written by path, the texts into which the environment has put something: what it has put there is not told */
export function createTelling(written: ReadonlyMap<string, string>): Telling {
  /** Such a text in quotes: `"${NAME}"`; undefined where all that stands there stands in the file. */
  const sourceOf = (path: ConfigPath): string | undefined => {
    const text = written.get(pathKey(path));
    return text === undefined ? undefined : describeValue(text);
  };
  return {
    got(path, value, secret) {
      const revealing = typeof value === 'number' || (typeof value === 'string' && value !== '');
      if (!revealing) return `, got ${describeValue(value)}`;
      if (secret) return '';
      const source = sourceOf(path);
      return source === undefined ? `, got ${describeValue(value)}` : `, got the value of ${source}`;
    },
    name(path, name) {
      const source = sourceOf(path);
      return source === undefined ? describeValue(name) : `that ${source} names`;
    },
    file(path, file) {
      if (NO_PATH.test(file)) return 'the file named here';
      const source = sourceOf(path);
      return source === undefined ? `the file ${file}` : `the file that ${source} names`;
    },
    isDoubtful: (path, file) => written.has(pathKey(path)) || NO_PATH.test(file),
  };
}

/** Where nothing comes from the environment. */
export const TELL_WRITTEN: Telling = createTelling(new Map());
