/**
 * A reader of HTTP/1.1 messages that believes anything: it is there to show what is on the wire, not to judge it.
 * Bytes are read as latin-1, so that every one of them survives.
 */

export interface MessageHead {
  readonly startLine: string;
  /** Header lines exactly as they came, without their line ends. */
  readonly lines: readonly string[];
  readonly headers: readonly HeaderPair[];
  /** Bytes the head takes, its empty line included. */
  readonly length: number;
}

/** Name as spelt on the wire, value without the blanks around it. */
export type HeaderPair = readonly [name: string, value: string];

/** The head at the front of these bytes; undefined while its empty line has not come. A bare LF ends a line too. */
export function parseHead(bytes: Buffer): MessageHead | undefined {
  const text = bytes.toString('latin1');
  const end = /\r?\n\r?\n/.exec(text);
  if (end === null) return undefined;
  const [startLine = '', ...lines] = text.slice(0, end.index).split(/\r?\n/);
  return {
    startLine,
    lines,
    headers: lines.map(splitLine),
    length: end.index + end[0].length,
  };
}

function splitLine(line: string): HeaderPair {
  const colon = line.indexOf(':');
  if (colon < 0) return [line, ''];
  return [line.slice(0, colon), line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '')];
}

/** Every value under a name, in any spelling of case, in wire order. */
export function headerValues(headers: readonly HeaderPair[], name: string): string[] {
  const wanted = name.toLowerCase();
  return headers.filter(([key]) => key.toLowerCase() === wanted).map(([, value]) => value);
}

export interface MessageBody {
  readonly body: Buffer;
  readonly trailers: readonly HeaderPair[];
  /** Bytes the body takes on the wire, its chunk framing included. */
  readonly length: number;
}

/** A body of so many bytes; undefined while they have not all come. */
export function parseSizedBody(bytes: Buffer, size: number): MessageBody | undefined {
  if (bytes.length < size) return undefined;
  return { body: bytes.subarray(0, size), trailers: [], length: size };
}

/**
 * A chunked body (RFC 9112 section 7.1); undefined while its last line has not come.
 * @throws Error where a chunk size is no number
 */
export function parseChunkedBody(bytes: Buffer): MessageBody | undefined {
  const chunks: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at, 'latin1');
    if (lineEnd < 0) return undefined;
    const line = bytes.toString('latin1', at, lineEnd);
    const size = Number.parseInt(line, 16);
    if (!/^[0-9A-Fa-f]+/.test(line)) throw new Error(`not a chunk size: ${JSON.stringify(line)}`);
    at = lineEnd + 2;
    if (size === 0) break;
    if (bytes.length < at + size + 2) return undefined;
    chunks.push(bytes.subarray(at, at + size));
    at += size + 2;
  }
  const trailers: HeaderPair[] = [];
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at, 'latin1');
    if (lineEnd < 0) return undefined;
    const line = bytes.toString('latin1', at, lineEnd);
    at = lineEnd + 2;
    if (line === '') return { body: Buffer.concat(chunks), trailers, length: at };
    trailers.push(splitLine(line));
  }
}
