import { randomUUID } from 'node:crypto';
import type { Exchange } from '../core/exchange.ts';

/** An inbound request id that is kept: short, and safe in a log line and a header. */
const SANE = /^[A-Za-z0-9._~+/=:@-]{1,128}$/;

export function isSaneRequestId(id: string): boolean {
  return SANE.test(id);
}

/** Names a request, for its log line and for whatever answer it gets. */
export function nameRequest(exchange: Exchange, id: string = randomUUID()): void {
  exchange.requestId = id;
  exchange.answerHeaders.push('x-request-id', id);
}
