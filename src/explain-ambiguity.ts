import { spellingsOf } from './authorize/compile-routes.ts';
import { listWords } from './config/describe-value.ts';
import { DOT_SEGMENT } from './listen/canonical-path.ts';

/** What no route can permit, by how it is written in a path. */
const NEVER: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/\\|%5c/i, 'a backslash'],
  [/#/, 'a "#" that is not encoded'],
  [/%(?![0-9a-f]{2})/i, 'a "%" without two hexadecimal digits'],
  [/[\u0000-\u001f\u007f]|%(?:[01][0-9a-f]|7f|c2%[89][0-9a-f])/i, 'a control character'],
];

/** What in a raw path had it refused before a route was looked for. */
export function describeRefusedPath(raw: string): string {
  const found = NEVER.filter(([pattern]) => pattern.test(raw)).map(([, name]) => name);
  const decoded = raw.replace(/%2e/gi, '.').replaceAll(' ', '%20');
  if (DOT_SEGMENT.test(decoded)) found.push('a segment of dots');
  return `because of ${found.length === 0 ? 'bytes that are not UTF-8' : listWords(found, 'and')}`;
}

/**
 * What in a canonical path had it refused where routes were looked for.
 * @param irregular the spellings in it that a route must permit
 * @param permit those that the route permits
 */
export function describeRefusedSpelling(irregular: number, permit: number): string {
  const missing = spellingsOf(irregular & ~permit).map((spelling) => JSON.stringify(spelling));
  if (missing.length === 0) return 'because it could be read as a path of a route that is stricter';
  return `because of ${listWords(missing, 'and')}: match.permit of a route may let that through`;
}
