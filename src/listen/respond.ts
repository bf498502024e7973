import type { IncomingMessage } from 'node:http';
import { ERRORS, type ErrorEntry } from '../core/errors.ts';
import type { Exchange, Reply } from '../core/exchange.ts';
import type { HeaderList } from '../core/headers.ts';
import type { Refusal } from '../core/refusal.ts';
import { createOwnHeaders } from './own-headers.ts';
import { refusalPage } from './refusal-page.ts';
import { nameRequest } from './request-id.ts';

/** Answers for the proxy itself; nothing else writes an answer of our own. */
export interface Responder {
  refuse(exchange: Exchange, refusal: Refusal): void;
  reply(exchange: Exchange, reply: Reply): void;
}

export function createResponder(): Responder {
  const ownHeaders = createOwnHeaders();

  const send = (
    exchange: Exchange,
    status: number,
    headers: HeaderList,
    body: string,
    close: boolean,
  ): void => {
    const { request, response, tunnel } = exchange;
    if (tunnel !== null) attachTo(exchange);
    // What a refused client still sends is never taken for another request.
    if (close || tunnel !== null || hasBodyToCome(request)) response.shouldKeepAlive = false;
    response.writeHead(status, [...ownHeaders, ...headers, ...exchange.answerHeaders]);
    response.end(body);
  };

  return {
    refuse(exchange, refusal) {
      const entry: ErrorEntry = ERRORS[refusal.code];
      if (exchange.requestId === '') nameRequest(exchange);
      const html = wantsHtml(exchange);
      const body = html
        ? refusalPage(entry, refusal.code, exchange.requestId)
        : refusalJson(entry, refusal.code, exchange.requestId);
      const headers: HeaderList = [
        'content-type',
        html ? 'text/html; charset=utf-8' : 'application/json; charset=utf-8',
        'content-length',
        String(Buffer.byteLength(body)),
      ];
      const challenge = challengeFor(entry, refusal);
      if (challenge !== null) headers.push('www-authenticate', challenge);
      if (refusal.allow !== undefined) headers.push('allow', refusal.allow.join(', '));
      const retryAfter = refusal.retryAfter ?? entry.retryAfter;
      if (retryAfter !== undefined) headers.push('retry-after', String(retryAfter));
      send(exchange, entry.status, headers, body, entry.close === true);
    },
    reply(exchange, reply) {
      send(exchange, reply.status, reply.headers, '', false);
    },
  };
}

/** The body of a refusal, in the shape of API Gateway's, whose clients look at `message`. */
export function refusalJson(entry: ErrorEntry, code: string, requestId: string): string {
  return JSON.stringify({ message: entry.message, code, requestId });
}

/** `WWW-Authenticate` as RFC 6750 section 3 says; null where none is due. */
function challengeFor(entry: ErrorEntry, refusal: Refusal): string | null {
  if (entry.challenge === undefined) return null;
  if (entry.challenge === 'bare') return 'Bearer';
  const scope =
    refusal.scopes === undefined ? '' : `, scope="${refusal.scopes.join(' ').replace(/["\\]/g, '')}"`;
  return `Bearer error="${entry.challenge}", error_description="${entry.description}"${scope}`;
}

/** Asked of the raw request, since a refusal may come before there is a canonical one. */
function wantsHtml(exchange: Exchange): boolean {
  return exchange.request.headers.accept?.toLowerCase().includes('text/html') === true;
}

/** Whether the client may still send: a request is not complete before its handler returns, even where it has no body. */
function hasBodyToCome({ complete, headers }: IncomingMessage): boolean {
  if (complete) return false;
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0;
}

/** Gives a refused upgrade's socket back to HTTP, to answer on it and close it. */
function attachTo(exchange: Exchange): void {
  const { response, tunnel } = exchange;
  if (tunnel === null || response.socket !== null) return;
  response.assignSocket(tunnel.socket as NonNullable<typeof response.socket>);
  response.on('finish', () => tunnel.socket.end());
}
