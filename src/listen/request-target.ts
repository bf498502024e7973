/** A request target taken apart (RFC 9112 section 3.2). */
export interface RequestTarget {
  readonly path: string;
  /** Without the question mark; null when there is none. */
  readonly query: string | null;
  /** Of the absolute form, in lower case; null for the origin form. */
  readonly authority: string | null;
}

/**
 * Takes the origin form and the absolute form apart; the asterisk and authority forms, and anything with a fragment,
 * are refused.
 * @returns null when the target is to be refused
 */
export function parseRequestTarget(raw: string): RequestTarget | null {
  if (raw.charCodeAt(0) === 0x2f) return splitQuery(raw, null);
  const absolute = /^https?:\/\/([^/?#\\@]+)(\/.*)?$/i.exec(raw);
  if (absolute === null) return null;
  return splitQuery(absolute[2] ?? '/', (absolute[1] ?? '').toLowerCase());
}

function splitQuery(target: string, authority: string | null): RequestTarget | null {
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  const query = mark < 0 ? null : target.slice(mark + 1);
  return query !== null && !isQuery(query) ? null : { path, query, authority };
}

/** Printable ASCII and raw bytes above it, but no fragment: a `#` ends the target for some and not for others. */
function isQuery(query: string): boolean {
  return /^[\x21\x22\x24-\x7e\x80-\xff]*$/.test(query);
}

const AUTHORITY = /^(?:([A-Za-z0-9._~-]+)|(\[[0-9A-Fa-f:.]+\]))(?::(\d{1,5}))?$/;

/**
 * The host of a Host header in lower case, without port and trailing dot (RFC 9110 section 7.2).
 * @returns null when the header is not a valid authority
 */
export function hostOf(authority: string): string | null {
  const match = AUTHORITY.exec(authority);
  if (match === null) return null;
  const host = (match[1] ?? match[2] ?? '').toLowerCase().replace(/\.$/, '');
  return host === '' ? null : host;
}
