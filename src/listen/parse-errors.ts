import type { ErrorCode } from '../core/errors.ts';

/** An error of node's HTTP parser, or of the socket under it. */
export interface ParseError extends NodeJS.ErrnoException {
  /** The bytes that were being read. */
  readonly rawPacket?: Buffer;
}

/**
 * Which refusal an error of node's HTTP parser is; null when there is nobody left to answer.
 * @param urlBytes the longest request target
 */
export function codeOfParseError(error: ParseError, urlBytes: number): ErrorCode | null {
  switch (error.code) {
    case 'HPE_HEADER_OVERFLOW':
      return hasLongTarget(error.rawPacket, urlBytes) ? 'LIMIT_URL' : 'LIMIT_HEADERS';
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return 'LIMIT_BODY';
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return 'REQUEST_TIMEOUT';
    default:
      return error.code?.startsWith('HPE_') ? 'REQUEST_MALFORMED' : null;
  }
}

/** The parser counts the target together with the headers; which of them was too long shows in the request line. */
function hasLongTarget(packet: Buffer | undefined, urlBytes: number): boolean {
  const line = /^[A-Z-]+ [^ \r\n]*/.exec(packet?.toString('latin1') ?? '');
  return line !== null && line[0].length > urlBytes;
}
