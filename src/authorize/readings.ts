import { Irregularity } from '../core/inbound.ts';
import { decodeLeniently } from './foldings.ts';

/** Longest path with permitted spellings, in characters: what an upstream may make of it takes time to find out. */
const MAX_IRREGULAR_PATH = 4096;

/**
 * Every way in which an upstream may read the spellings that a route permits. Where the route strips a prefix, what is read is what
 * is sent, without it; the readings are given with the prefix put back, since that is how routes are told apart.
 *
 * @returns distinct paths, the given one among them; null when one of them holds a dot segment, a backslash or a control
 *   character, which are never let through, or when there would be too much to read
 */
export function readingsOf(
  path: string,
  irregular: number,
  stripPrefix: string | null,
): readonly string[] | null {
  if (irregular === 0) return [path];
  if (path.length > MAX_IRREGULAR_PATH) return null;
  const readings = readSpellings(path, irregular);
  if (stripPrefix !== null) {
    for (const sent of readSpellings(path.slice(stripPrefix.length), irregular)) {
      readings.add(stripPrefix + sent);
    }
  }
  const distinct = [...readings];
  return distinct.some(isForbidden) ? null : distinct;
}

/**
 * Each combination of decoding them, cutting at them, dropping matrix parameters, and taking a beginning with two slashes for a host.
 * Other empty segments are left to the foldings, which all drop them.
 */
function readSpellings(path: string, irregular: number): Set<string> {
  let readings = new Set([path]);
  const also = (read: (path: string) => string): void => {
    readings = new Set([...readings].flatMap((reading) => [reading, read(reading)]));
  };
  const may = (spelling: number): boolean => (irregular & (spelling | Irregularity.encodedPercent)) !== 0;
  if (may(0)) also((text) => text.replaceAll('%25', '%'));
  if (may(Irregularity.encodedSlash)) also((text) => text.replace(/%2f/gi, '/'));
  if (may(Irregularity.encodedHash)) also((text) => text.replace(/(?:%23|#).*$/, ''));
  if (may(Irregularity.encodedQuestionMark)) also((text) => text.replace(/(?:%3f|\?).*$/i, ''));
  if (may(Irregularity.semicolon)) {
    also((text) => text.replace(/(?:;|%3b)[^/]*/gi, ''));
    also((text) => text.replace(/(?:;|%3b).*$/i, ''));
  }
  // What begins with two slashes names a host first to those who take it for a reference (RFC 3986 section 4.2).
  also((text) => text.replace(/^\/{2,}[^/]*/, '') || '/');
  return readings;
}

function isForbidden(reading: string): boolean {
  // Some decode twice.
  const decoded = decodeLeniently(decodeLeniently(reading));
  // What is left encoded is no UTF-8: some decode it all the same, as overlong ASCII or as the %u of old browsers.
  if (/%(?:[89A-F][0-9A-F]|u[0-9A-F]{4})/i.test(decoded)) return true;
  // More dots and spaces than a dot segment has, lest some that trim names leave one over.
  return /(?:^|\/) *\.[. ]*(?:[/;#?]|$)/.test(decoded) || /[\\\u0000-\u001f\u007f]/.test(decoded);
}
