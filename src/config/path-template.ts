import { PERMITTABLE } from './schema/routes.ts';

/** One part of a path template between slashes. */
type Segment =
  | { readonly kind: 'static'; readonly text: string }
  | { readonly kind: 'parameter' | 'greedy'; readonly name: string };

export interface PathTemplate {
  readonly segments: readonly Segment[];
  /** What is wrong with it; its segments are not to be relied on unless this is empty. */
  readonly mistakes: readonly string[];
}

const PARAMETER = /^\{([A-Za-z_][A-Za-z0-9._-]*)(\+?)\}$/;

/**
 * Reads a path template in the manner of API Gateway: `{name}` is one segment, `{name+}` the rest. Static text may be
 * written as people read it (`/café`); it is brought into the spelling that a request's path has when it is matched. What
 * no request can contain is a mistake.
 * @param permit spellings that the route lets through by name
 * @param got what a mistake may say of a segment
 */
export function parseTemplate(
  template: string,
  permit: readonly string[],
  got: (part: string) => string = () => '',
): PathTemplate {
  const mistakes: string[] = [];
  const parts = template.slice(1).split('/');
  const segments = parts.map((part): Segment => {
    const [, name, greedy] = PARAMETER.exec(part) ?? [];
    if (name !== undefined) return { kind: greedy === '+' ? 'greedy' : 'parameter', name };
    if (/[{}]/.test(part)) {
      mistakes.push(`expected {name} or {name+} as a whole segment${got(part)}`);
    } else if (part === '*' || part === '**') {
      mistakes.push(`"${part}" is not a wildcard: write {name} for one segment, {name+} for the rest`);
    }
    return { kind: 'static', text: canonicalSpelling(part) ?? part };
  });
  const names = segments.flatMap((segment) => (segment.kind === 'static' ? [] : [segment.name]));
  for (const name of new Set(names.filter((each, index) => names.indexOf(each) !== index))) {
    mistakes.push(`the parameter {${name}} is there twice`);
  }
  const greedy = segments.findIndex((segment) => segment.kind === 'greedy');
  if (greedy !== -1 && greedy !== segments.length - 1) mistakes.push('{name+} can only be the last segment');
  const statics = parts.filter((part) => !/[{}]/.test(part));
  mistakes.push(...spellingMistakes(statics, permit));
  if (parts.slice(0, -1).includes('') && !permit.includes('//')) {
    mistakes.push('an empty segment ("//") is refused in requests unless match.permit names it');
  }
  return { segments, mistakes };
}

function spellingMistakes(statics: readonly string[], permit: readonly string[]): string[] {
  const text = statics.join('/');
  const canonical = canonicalSpelling(text);
  if (canonical === null) return ['expected percent-encoded UTF-8'];
  const never = /[?#\\\u0000-\u001F\u007F]|%(?:5C|[01][0-9A-F]|7F)/i.exec(text)?.[0];
  if (never !== undefined) return [`${JSON.stringify(never)} is refused in every path`];
  const mistakes: string[] = [];
  if (/%(?![0-9A-Fa-f]{2})/.test(text))
    mistakes.push('"%" starts a percent-encoded byte; by itself it is "%25"');
  if (canonical.split('/').some((part) => part === '.' || part === '..')) {
    mistakes.push('"." and ".." are refused as segments of a path');
  }
  for (const spelling of PERMITTABLE) {
    if (spelling === '//' || permit.includes(spelling)) continue;
    if (!canonical.includes(spelling) && !(spelling === ';' && canonical.includes('%3B'))) continue;
    mistakes.push(`"${spelling}" is refused in requests unless match.permit names it`);
  }
  return mistakes;
}

/** RFC 3986 section 3.3: what may stand in a path as it is, beside percent-encoded bytes. */
const NEEDS_ENCODING = /[^A-Za-z0-9._~!$&'()*+,;=:@%/-]+/gu;

/** Unreserved characters decoded, everything else that needs it encoded, hexadecimal in upper case; null: not UTF-8. */
export function canonicalSpelling(text: string): string | null {
  let encoded: string;
  try {
    encoded = text.replace(NEEDS_ENCODING, encodeURIComponent);
    decodeURIComponent(encoded.replace(/%(?![0-9A-Fa-f]{2})/g, '%25'));
  } catch {
    return null;
  }
  return encoded.replace(/%[0-9A-Fa-f]{2}/g, (triplet) => {
    const character = String.fromCharCode(Number.parseInt(triplet.slice(1), 16));
    return /[A-Za-z0-9._~-]/.test(character) ? character : triplet.toUpperCase();
  });
}
