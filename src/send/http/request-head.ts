import { type HeaderList, HTTP_TOKEN, NO_FIELD_VALUE } from '../../core/headers.ts';

/** A request as it leaves, but for its body. */
export interface RequestHead {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** Begins with `host`; without what frames the body. */
  readonly headers: HeaderList;
  /** Bytes of the body; -1: it goes out chunked. */
  readonly contentLength: number;
}

/** Visible characters; more is percent-encoded in what was made of the client's target. */
const NO_TARGET = /[^\x21-\x7e]/;

/** Methods for which a server expects to be told that there is no body (RFC 9110 section 8.6). */
const EXPECT_BODY: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

/** Names found to be tokens. */
const names = new Set<string>();
const REMEMBERED_NAMES = 512;

/**
 * Writes the header section of a request. Every ordinary request comes past here, so that no value, wherever it was made, can end
 * its line and begin another; upgrades go by node:http, which refuses the same.
 *
 * @returns Latin-1
 * @throws Error when the request cannot be written as HTTP
 */
export function writeRequestHead({ method, path, headers, contentLength }: RequestHead): string {
  if (!HTTP_TOKEN.test(method) || path === '' || NO_TARGET.test(path))
    throw new Error('no request line can be made');
  let text = `${method} ${path} HTTP/1.1\r\n`;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    const value = headers[i + 1] as string;
    if (!isName(name) || NO_FIELD_VALUE.test(value))
      throw new Error(`the header ${JSON.stringify(name)} cannot be sent`);
    text += `${name}: ${value}\r\n`;
  }
  if (contentLength < 0) return `${text}transfer-encoding: chunked\r\n\r\n`;
  if (contentLength > 0 || EXPECT_BODY.has(method)) return `${text}content-length: ${contentLength}\r\n\r\n`;
  return `${text}\r\n`;
}

function isName(name: string): boolean {
  if (names.has(name)) return true;
  if (!HTTP_TOKEN.test(name)) return false;
  if (names.size >= REMEMBERED_NAMES) names.clear();
  names.add(name);
  return true;
}
