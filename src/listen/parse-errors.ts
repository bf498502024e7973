import { randomUUID } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { ERRORS, type ErrorCode } from '../core/errors.ts';
import { refusalJson } from './respond.ts';

/** Which refusal an error of node's HTTP parser is; null when there is nobody left to answer. */
export function codeOfParseError(error: NodeJS.ErrnoException & { rawPacket?: Buffer }): ErrorCode | null {
  switch (error.code) {
    case 'ECONNRESET':
    case 'EPIPE':
      return null;
    case 'HPE_HEADER_OVERFLOW':
      // The parser counts the target with the headers; a first line that does not end is a target too long.
      return error.rawPacket?.includes('\r\n') === false ? 'LIMIT_URL' : 'LIMIT_HEADERS';
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return 'LIMIT_BODY';
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return 'REQUEST_TIMEOUT';
    default:
      return 'REQUEST_MALFORMED';
  }
}

/** Answers on a bare socket, where there is no request to answer, and ends the connection. */
export function answerOnSocket(socket: Duplex, code: ErrorCode): void {
  const entry = ERRORS[code];
  const requestId = randomUUID();
  const body = refusalJson(entry, code, requestId);
  const retryAfter = 'retryAfter' in entry ? `retry-after: ${entry.retryAfter}\r\n` : '';
  socket.end(
    `HTTP/1.1 ${entry.status} ${entry.message}\r\ncontent-type: application/json; charset=utf-8\r\n` +
      `content-length: ${body.length}\r\nx-request-id: ${requestId}\r\n${retryAfter}connection: close\r\n\r\n${body}`,
  );
}
