import { parseTemplate, type TemplateSegment } from './path-template.ts';

/** How some software reads a decoded path, or a part of one: what it reads alike is spelled alike afterwards. */
export type Folding = (text: string) => string;

/**
 * The foldings in use, each an upstream's: none beyond decoding; case-insensitive, as express and IIS are by default;
 * without dots and spaces at the end of a name, as file names are on Windows; and both.
 */
export const FOLDINGS: readonly Folding[] = [
  (text) => text,
  foldCase,
  trimNames,
  (text) => trimNames(foldCase(text)),
];

/** A decoded path folded, without empty segments and without the slash at the end, which many do not mind either. */
export function foldPath(decoded: string, fold: Folding): string {
  const folded = fold(decoded);
  if (!folded.includes('//') && !folded.endsWith('/')) return folded;
  const merged = folded.replace(/\/{2,}/g, '/');
  return merged.length > 1 && merged.endsWith('/') ? merged.slice(0, -1) : merged;
}

/** A path template with its static text decoded and folded, to be compared with paths folded in the same way. */
export function foldTemplate(template: string, fold: Folding): readonly TemplateSegment[] {
  const segments = parseTemplate(template)
    .map((segment) =>
      segment.kind === 'static' ? { ...segment, text: fold(decodePath(segment.text)) } : segment,
    )
    .filter((segment) => segment.kind !== 'static' || segment.text !== '');
  return segments.length === 0 ? parseTemplate('/') : segments;
}

/** A percent sign that begins no triplet. What has none can be decoded as a whole, which is faster. */
export const LONE_PERCENT = /%(?![0-9A-F]{2})/i;

/** Decodes a path as most software does. An encoded slash stays one: it is inside its segment. */
export function decodePath(path: string): string {
  if (!path.includes('%')) return path;
  return LONE_PERCENT.test(path)
    ? path.replace(/(?:%(?!2F)[0-9A-F]{2})+/gi, decodeTriplets).replace(/%2f/g, '%2F')
    : decodeTriplets(path.replace(/%2f/gi, '%252F'));
}

/** What is no valid UTF-8 is left as it is. */
function decodeTriplets(triplets: string): string {
  try {
    return decodeURIComponent(triplets);
  } catch {
    return triplets;
  }
}

/** Both ways, since some characters (U+017F, U+212A) fold to ASCII in one direction only. */
export function foldCase(text: string): string {
  return text.toUpperCase().toLowerCase();
}

/** Each run of dots and spaces is looked at from its beginning only: from each of them, it would take quadratic time. */
function trimNames(text: string): string {
  return text.replace(/(?<![. ])[. ]+(?=\/|$)/g, '');
}
