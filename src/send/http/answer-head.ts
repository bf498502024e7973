import { type HeaderList, HTTP_TOKEN, NO_FIELD_VALUE } from '../../core/headers.ts';
import { UpstreamFault } from './upstream-fault.ts';

/** The header section of an answer, read in the one way it can be read. */
export interface AnswerHead {
  readonly status: number;
  readonly reason: string;
  /** All fields in their order, names in lower case. */
  readonly headers: HeaderList;
  /** What Connection says, its fields joined by commas; empty when there is none. */
  readonly connection: string;
  /** Bytes; -1 when it is not said. */
  readonly contentLength: number;
  readonly chunked: boolean;
  /** Whether the upstream takes another request on the same connection, as far as this section tells. */
  readonly persistent: boolean;
  /** Milliseconds for which the upstream keeps an idle connection; infinite when it does not say. */
  readonly keepAlive: number;
}

/** `reason-phrase` may be empty, and many leave out the space before it then (RFC 9112 section 4). */
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9][0-9]{2})(?: (.*))?$/;

/** Names remembered at most. */
const REMEMBERED_NAMES = 512;
const LONGEST_REMEMBERED_NAME = 64;

const SPACE = 0x20;
const TAB = 0x09;

/**
 * Reads the status line and fields of an answer, strictly (RFC 9112 sections 4 and 5): an upstream whose framing could be read in
 * more than one way is not believed at all, because what it says next might be taken for the answer to somebody else's request.
 *
 * @param text the section as Latin-1, without the empty line that ends it
 * @throws UpstreamFault UPSTREAM_RESPONSE_INVALID
 */
export function readAnswerHead(text: string): AnswerHead {
  const endOfLine = endOfLineFrom(text, 0);
  const statusLine = STATUS_LINE.exec(text.slice(0, endOfLine));
  if (statusLine === null) throw invalid('the status line is not that of HTTP/1');
  const [, minor, status, reason = ''] = statusLine as unknown as [string, string, string, string?];
  if (NO_FIELD_VALUE.test(reason)) throw invalid('the reason phrase has characters that it may not have');

  const headers = readFields(text, endOfLine + 2);
  let connection = '';
  let contentLength = -1;
  let encoding: string | null = null;
  let keepAlive = Number.POSITIVE_INFINITY;
  for (let i = 0; i < headers.length; i += 2) {
    const value = headers[i + 1] as string;
    switch (headers[i]) {
      case 'content-length':
        if (contentLength >= 0) throw invalid('Content-Length occurs twice');
        contentLength = readLength(value);
        break;
      case 'transfer-encoding':
        if (encoding !== null) throw invalid('Transfer-Encoding occurs twice');
        encoding = value;
        break;
      case 'connection':
        connection = connection === '' ? value : `${connection},${value}`;
        break;
      case 'keep-alive':
        keepAlive = readKeepAlive(value);
        break;
    }
  }
  if (encoding !== null) {
    if (contentLength >= 0) throw invalid('both Content-Length and Transfer-Encoding are there');
    if (minor === '0') throw invalid('HTTP/1.0 has no Transfer-Encoding');
    if (encoding.toLowerCase() !== 'chunked') throw invalid('the only Transfer-Encoding taken is chunked');
  }
  return {
    status: Number(status),
    reason,
    headers,
    connection,
    contentLength,
    chunked: encoding !== null,
    persistent: isPersistent(connection, minor),
    keepAlive,
  };
}

/**
 * Reads field lines, as a header section and a trailer section have them.
 *
 * @param from where the first line begins
 * @returns names in lower case, each followed by its value
 * @throws UpstreamFault UPSTREAM_RESPONSE_INVALID
 */
export function readFields(text: string, from: number): HeaderList {
  const fields: HeaderList = [];
  for (let start = from; start < text.length; ) {
    const end = endOfLineFrom(text, start);
    const colon = text.indexOf(':', start);
    if (colon < 0 || colon >= end) throw invalid('a line of the header section has no colon');
    let first = colon + 1;
    let last = end;
    while (first < last && isBlank(text.charCodeAt(first))) first += 1;
    while (last > first && isBlank(text.charCodeAt(last - 1))) last -= 1;
    const value = text.slice(first, last);
    // Among them a lone CR or LF, and the line break of a folded line.
    if (NO_FIELD_VALUE.test(value)) throw invalid('a header has characters that it may not have');
    fields.push(readName(text.slice(start, colon)), value);
    start = end + 2;
  }
  return fields;
}

export function invalid(why: string): UpstreamFault {
  return new UpstreamFault('UPSTREAM_RESPONSE_INVALID', `the answer cannot be read: ${why}`);
}

const names = new Map<string, string>();

/** White space before the colon, or a line that begins with some, makes it no token (RFC 9112 sections 5.1 and 5.2). */
function readName(raw: string): string {
  const known = names.get(raw);
  if (known !== undefined) return known;
  if (!HTTP_TOKEN.test(raw)) throw invalid('the name of a header is not a token');
  const name = raw.toLowerCase();
  if (raw.length <= LONGEST_REMEMBERED_NAME) {
    // Starting anew, lest an upstream that invents names make this slow for all that come after it.
    if (names.size >= REMEMBERED_NAMES) names.clear();
    names.set(raw, name);
  }
  return name;
}

function endOfLineFrom(text: string, from: number): number {
  const end = text.indexOf('\r\n', from);
  return end < 0 ? text.length : end;
}

function isBlank(character: number): boolean {
  return character === SPACE || character === TAB;
}

function readLength(value: string): number {
  const length = /^[0-9]+$/.test(value) ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(length)) throw invalid('Content-Length is no number of bytes');
  return length;
}

/** @returns milliseconds */
function readKeepAlive(value: string): number {
  const seconds = /(?:^|[,;\s])timeout\s*=\s*"?([0-9]{1,9})/i.exec(value)?.[1];
  return seconds === undefined ? Number.POSITIVE_INFINITY : Number(seconds) * 1000;
}

/** RFC 9112 section 9.3. */
function isPersistent(connection: string, minor: string): boolean {
  if (connection === '' || connection === 'keep-alive') return minor === '1' || connection !== '';
  const options = connection.split(',').map((option) => option.trim().toLowerCase());
  return !options.includes('close') && (minor === '1' || options.includes('keep-alive'));
}
