import { Irregularity } from '../core/inbound.ts';

/**
 * One segment as case-insensitive and dot-trimming file systems and frameworks read it: decoded, lower case, without
 * trailing dots and spaces.
 */
export function foldSegment(segment: string): string {
  const text = decodeLeniently(segment);
  // Both ways, since some characters (U+017F, U+212A) fold to ASCII in one direction only.
  return text
    .toUpperCase()
    .toLowerCase()
    .replace(/[. ]+$/, '');
}

/** Whether any software would read this canonical path differently from its spelling. */
export function isFoldable(path: string, irregular: number): boolean {
  return irregular !== 0 || /[A-Z%]|\.(\/|$)|.\/$/.test(path);
}

/**
 * Every way in which an upstream may read a canonical path: the plain folding, and for spellings that a route permits,
 * each combination of decoding them, cutting at them, dropping matrix parameters and merging slashes.
 *
 * @returns distinct folded paths; null when one of them holds a dot segment or a backslash, which is never let through
 */
export function foldedReadings(path: string, irregular: number): readonly string[] | null {
  let readings = new Set([path]);
  const also = (read: (path: string) => string): void => {
    readings = new Set([...readings].flatMap((reading) => [reading, read(reading)]));
  };
  if (irregular & Irregularity.encodedPercent) also(decodeOnce);
  if (irregular & (Irregularity.encodedSlash | Irregularity.encodedPercent)) {
    also((text) => text.replace(/%2f/gi, '/'));
  }
  if (irregular & (Irregularity.encodedHash | Irregularity.encodedPercent)) {
    also((text) => text.replace(/(%23|#).*$/, ''));
  }
  if (irregular & (Irregularity.encodedQuestionMark | Irregularity.encodedPercent)) {
    also((text) => text.replace(/(%3f|\?).*$/i, ''));
  }
  if (irregular & (Irregularity.semicolon | Irregularity.encodedPercent)) {
    also((text) => text.replace(/(;|%3b)[^/]*/gi, ''));
    also((text) => text.replace(/(;|%3b).*$/i, ''));
  }
  if (irregular !== 0) also((text) => text.replace(/\/{2,}/g, '/'));

  const folded = new Set<string>();
  for (const reading of readings) {
    if (isForbidden(reading)) return null;
    const segments = reading.split('/').map(foldSegment);
    folded.add(segments.join('/'));
    // A trailing slash is dropped by some; a segment that folds to nothing may vanish.
    folded.add(`/${segments.filter((segment) => segment !== '').join('/')}`);
  }
  return [...folded];
}

function isForbidden(reading: string): boolean {
  const decoded = decodeLeniently(reading);
  return /(^|\/)\.\.?(\/|;|$)/.test(decoded) || /[\\\u0000-\u001f\u007f]/.test(decoded);
}

function decodeOnce(text: string): string {
  return text.replace(/%25/g, '%');
}

function decodeLeniently(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
