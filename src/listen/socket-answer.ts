import { randomUUID } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { ERRORS, type ErrorCode } from '../core/errors.ts';
import type { Clock } from '../core/ports.ts';
import { endGently } from './linger.ts';
import { createOwnHeaders } from './own-headers.ts';
import { refusalJson } from './respond.ts';

/**
 * Makes the answer on a bare socket, where there is no request to answer; the connection ends with it.
 * @returns answers, and gives the request id
 */
export function createSocketAnswer(clock: Clock): (socket: Duplex, code: ErrorCode) => string {
  const own = createOwnHeaders();
  let ownLines = '';
  for (let i = 0; i < own.length; i += 2) ownLines += `${own[i]}: ${own[i + 1]}\r\n`;

  return (socket, code) => {
    const entry = ERRORS[code];
    const requestId = randomUUID();
    const body = refusalJson(entry, code, requestId);
    const retryAfter = entry.retryAfter === undefined ? '' : `retry-after: ${entry.retryAfter}\r\n`;
    socket.end(
      `HTTP/1.1 ${entry.status} ${entry.message}\r\n${ownLines}content-type: application/json; charset=utf-8\r\n` +
        `content-length: ${body.length}\r\nx-request-id: ${requestId}\r\n${retryAfter}connection: close\r\n\r\n${body}`,
    );
    endGently(socket, clock);
    return requestId;
  };
}
