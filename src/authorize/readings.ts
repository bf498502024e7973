import { Irregularity } from '../core/inbound.ts';
import { LONE_PERCENT } from './foldings.ts';

/** Most characters that the readings of a path may have together: to look at them takes time. */
const MAX_CHARACTERS = 8_192;

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
  const readings = readSpellings(path, irregular);
  if (readings === null) return null;
  if (stripPrefix !== null) {
    const sent = readSpellings(path.slice(stripPrefix.length), irregular);
    if (sent === null) return null;
    for (const reading of sent) readings.add(stripPrefix + reading);
  }
  const distinct = [...readings];
  return distinct.some(isForbidden) ? null : distinct;
}

/**
 * Each combination of decoding them, cutting at them, dropping matrix parameters, and taking a beginning with two slashes for a host.
 * Other empty segments are left to the foldings, which all drop them. Null when that is too much.
 */
function readSpellings(path: string, irregular: number): Set<string> | null {
  const readings = new Set([path]);
  for (const read of readersOf(irregular)) {
    for (const reading of [...readings]) readings.add(read(reading));
    if (isTooMuch(readings)) return null;
  }
  return readings;
}

function readersOf(irregular: number): ((path: string) => string)[] {
  const may = (spelling: number): boolean => (irregular & (spelling | Irregularity.encodedPercent)) !== 0;
  const readers: ((path: string) => string)[] = [];
  if (may(0)) readers.push((text) => text.replaceAll('%25', '%'));
  if (may(Irregularity.encodedSlash)) readers.push((text) => text.replace(/%2f/gi, '/'));
  if (may(Irregularity.encodedHash)) readers.push((text) => text.replace(/(?:%23|#).*$/, ''));
  if (may(Irregularity.encodedQuestionMark)) readers.push((text) => text.replace(/(?:%3f|\?).*$/i, ''));
  if (may(Irregularity.semicolon)) {
    readers.push((text) => text.replace(/(?:;|%3b)[^/]*/gi, ''));
    readers.push((text) => text.replace(/(?:;|%3b).*$/i, ''));
  }
  // What begins with two slashes names a host first to those who take it for a reference (RFC 3986 section 4.2).
  readers.push((text) => text.replace(/^\/{2,}[^/]*/, '') || '/');
  return readers;
}

function isTooMuch(readings: ReadonlySet<string>): boolean {
  let characters = 0;
  for (const reading of readings) characters += reading.length;
  return characters > MAX_CHARACTERS;
}

function isForbidden(reading: string): boolean {
  // Some decode twice.
  const once = decodeWhole(reading);
  const decoded = once === null ? null : decodeWhole(once);
  // What is no UTF-8, or left encoded, some decode all the same: as overlong ASCII or as the %u of old browsers.
  if (decoded === null || /%(?:[89A-F][0-9A-F]|u[0-9A-F]{4})/i.test(decoded)) return true;
  // More dots and spaces than a dot segment has, lest some that trim names leave one over.
  return /(?:^|\/) *\.[. ]*(?:[/;#?]|$)/.test(decoded) || /[\\\u0000-\u001f\u007f]/.test(decoded);
}

/** Percent-decoded as far as it goes; null where it is no UTF-8, at the first such place, since errors take long to make. */
function decodeWhole(text: string): string | null {
  if (!text.includes('%')) return text;
  try {
    return LONE_PERCENT.test(text)
      ? text.replace(/(?:%[0-9A-F]{2})+/gi, (triplets) => decodeURIComponent(triplets))
      : decodeURIComponent(text);
  } catch {
    return null;
  }
}
