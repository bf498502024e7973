import type { HeaderList } from '../core/headers.ts';

/** The headers of a request to sign: each name once, in the order in which they go out, `host` first. */
export type SignableHeaders = Map<string, string>;

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
  const signable: SignableHeaders = new Map();
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    const value = headers[i + 1] as string;
    if (OURS.has(name)) continue;
    const known = signable.get(name);
    signable.set(name, known === undefined ? value : `${known}${name === 'cookie' ? '; ' : ', '}${value}`);
  }
  return signable;
}

/** Changes a header, which then comes last, or takes it out when there is nothing left of it. */
export function changeHeader(headers: SignableHeaders, name: string, value: string): void {
  headers.delete(name);
  if (value !== '') headers.set(name, value);
}

/** They as they are sent. */
export function headerList(headers: SignableHeaders): HeaderList {
  const list: HeaderList = [];
  for (const [name, value] of headers) list.push(name, value);
  return list;
}
