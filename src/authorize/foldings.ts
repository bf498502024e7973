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
  return `/${folded.split('/').filter(isNotEmpty).join('/')}`;
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

/** Decodes a path as most software does. An encoded slash stays one: it is inside its segment. */
export function decodePath(path: string): string {
  return path.includes('%')
    ? path.replace(/(?:%(?!2F)[0-9A-F]{2})+/gi, decodeTriplets).replace(/%2f/g, '%2F')
    : path;
}

/** Percent-decoded as far as it goes: what is no valid UTF-8, or no triplet at all, is left as it is. */
export function decodeLeniently(text: string): string {
  return text.includes('%') ? text.replace(/(?:%[0-9A-F]{2})+/gi, decodeTriplets) : text;
}

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

function trimNames(text: string): string {
  return /[. ](?:\/|$)/.test(text) ? text.split('/').map(trimName).join('/') : text;
}

/** By hand: a regular expression would take quadratic time over dots that are not at the end. */
function trimName(name: string): string {
  let end = name.length;
  while (end > 0 && (name[end - 1] === '.' || name[end - 1] === ' ')) end -= 1;
  return name.slice(0, end);
}

function isNotEmpty(segment: string): boolean {
  return segment !== '';
}
