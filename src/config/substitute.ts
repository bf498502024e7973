import { isScalar, parseDocument } from 'yaml';
import { type ConfigPath, isMapping, pathKey } from './config-path.ts';
import type { Finding } from './problem.ts';

/** The variables of the process, handed in. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface Substituted {
  readonly value: unknown;
  readonly findings: readonly Finding[];
  /** By path, the texts as they were written into which the environment has put something. */
  readonly filled: ReadonlyMap<string, string>;
}

const TOKEN = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(:-([^}]*))?\}|\$\{/g;
const WHOLE = /^\$\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\}$/;

/**
 * Replaces `${NAME}` and `${NAME:-default}` in every text of the tree; `$${` stands for `${`. The default is used when
 * the variable is unset or empty, as in a shell. A text that is one substitution is typed again as YAML would type it,
 * unless `expectsText` says that a text is wanted there.
 */
export function substitute(
  root: unknown,
  environment: Environment,
  expectsText: (path: ConfigPath, typed: unknown, text: string) => boolean,
): Substituted {
  const findings: Finding[] = [];
  const filled = new Map<string, string>();

  const replace = (text: string, path: ConfigPath): unknown => {
    let failed = false;
    const fail = (message: string): string => {
      findings.push({ path, message });
      failed = true;
      return '';
    };
    const replaced = text.replace(TOKEN, (token, name?: string, hasDefault?: string, otherwise?: string) => {
      if (token === '$${') return '${';
      if (name === undefined) return fail('expected ${NAME} or ${NAME:-default}; write $${ for a literal ${');
      const value = environment[name];
      if (value !== undefined && (value !== '' || hasDefault === undefined)) {
        filled.set(pathKey(path), text);
        return value;
      }
      if (otherwise !== undefined) return otherwise;
      return fail(`the environment variable ${name} is not set, and \${${name}} gives no default`);
    });
    if (failed) return text;
    if (!isSubstitution(text)) return replaced;
    const typed = typeAsYaml(replaced);
    return typeof typed !== 'string' && expectsText(path, typed, replaced) ? replaced : typed;
  };

  const visit = (value: unknown, path: ConfigPath): unknown => {
    if (typeof value === 'string') return value.includes('${') ? replace(value, path) : value;
    if (Array.isArray(value)) return value.map((item, index) => visit(item, [...path, index]));
    if (!isMapping(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, visit(item, [...path, key])]));
  };

  return { value: visit(root, []), findings, filled };
}

/**
 * What a text says by itself: with its defaults.
 * @param placeholder stands where a variable without a default does
 */
export function constantPart(text: string, placeholder = ''): string {
  return text.replace(TOKEN, (token, name?: string, _default?: string, otherwise = '') =>
    name === undefined ? token : otherwise === '' ? placeholder : otherwise,
  );
}

/** Whether a text is one substitution and nothing else. */
export function isSubstitution(text: string): boolean {
  return WHOLE.test(text);
}

/**
 * What an unquoted YAML scalar of this text means: a number, true, false, null, or the text itself. An empty text stays
 * one: null lifts checks, and a variable that happens to be empty must not.
 */
export function typeAsYaml(text: string): unknown {
  const { contents, errors } = parseDocument(text, { prettyErrors: false });
  const whole = errors.length === 0 && isScalar(contents) && contents.source === text;
  return whole && typeof contents.value !== 'string' ? contents.value : text;
}
