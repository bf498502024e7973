import type { HeaderList } from '../core/headers.ts';

/** The headers of a request to sign. */
export interface SignableHeaders {
  /** What is sent; `host` stays first. */
  readonly list: HeaderList;
  /** The same by name, in a map without a prototype. */
  readonly byName: Record<string, string>;
}

/** Whatever a client sends of these would be a second signature, or describe a body as it is not sent. */
const OURS: ReadonlySet<string> = new Set([
  'authorization',
  'content-length',
  'date',
  'x-amz-content-sha256',
  'x-amz-date',
  'x-amz-decoded-content-length',
  'x-amz-region-set',
  'x-amz-s3session-token',
  'x-amz-security-token',
  'x-amz-trailer',
]);

/**
 * Leaves out what only we may say, and puts the values of a header that occurs several times into one line: there is
 * then one reading of it, and the signature covers that (RFC 9110 section 5.3).
 */
export function signableHeaders(headers: readonly string[]): SignableHeaders {
  const list: HeaderList = [];
  const byName = Object.create(null) as Record<string, string>;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    const value = headers[i + 1] as string;
    if (OURS.has(name)) continue;
    const known = byName[name];
    if (known === undefined) {
      byName[name] = value;
      list.push(name, value);
    } else {
      const joined = `${known}${name === 'cookie' ? '; ' : ', '}${value}`;
      byName[name] = joined;
      list[nameIndex(list, name) + 1] = joined;
    }
  }
  return { list, byName };
}

/** Adds a header that is not there yet. */
export function addHeader(headers: SignableHeaders, name: string, value: string): void {
  headers.byName[name] = value;
  headers.list.push(name, value);
}

/** Changes a header, or takes it out when there is nothing left of it. */
export function changeHeader(headers: SignableHeaders, name: string, value: string): void {
  const at = nameIndex(headers.list, name);
  if (at >= 0) headers.list.splice(at, 2);
  delete headers.byName[name];
  if (value !== '') addHeader(headers, name, value);
}

function nameIndex(list: readonly string[], name: string): number {
  for (let i = 0; i < list.length; i += 2) if (list[i] === name) return i;
  return -1;
}
