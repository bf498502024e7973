import type { IncomingHttpHeaders } from 'node:http';
import type { Exchange } from '../core/exchange.ts';
import type { HeaderList } from '../core/headers.ts';
import type { AnswerHead } from './http/answer-head.ts';

/** Hop-by-hop in an answer (RFC 9110 section 7.6.1). Trailer is judged apart. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'te',
  'transfer-encoding',
  'upgrade',
]);

/** Not to be found in trailers: length, addressee. */
const FRAMING: ReadonlySet<string> = new Set(['content-length', 'host', 'trailer']);

/**
 * Makes the header section of an answer: the upstream's end-to-end headers, then ours. Where the proxy answers for CORS,
 * the upstream's own CORS headers are dropped, as API Gateway does, so that there is one policy.
 */
export function answerHeaders(exchange: Exchange, head: AnswerHead): HeaderList {
  const { status, headers } = head;
  const named = namedInConnection(head.connection);
  const ownCors = answersForCors(exchange);
  // node:http sends trailers only in a chunked body, and refuses the Trailer header elsewhere.
  const chunked = head.contentLength < 0 && hasBody(exchange, status) && isHttp11(exchange);
  const list: HeaderList = [];
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (HOP_BY_HOP.has(name) || named?.has(name) || isOurs(name, ownCors)) continue;
    if (name === 'trailer' && !chunked) continue;
    if (name === 'content-length' && status === 204) continue;
    list.push(name, headers[i + 1] as string);
  }
  for (const item of exchange.answerHeaders) list.push(item);
  return list;
}

/**
 * The trailer fields that pass: all but those that frame or route a message, which mean nothing after it, yet might be merged
 * into its header section behind us (RFC 9110 section 6.5.1).
 */
export function answerTrailers(exchange: Exchange, trailers: HeaderList): [string, string][] {
  const ownCors = answersForCors(exchange);
  const pairs: [string, string][] = [];
  for (let i = 0; i < trailers.length; i += 2) {
    const name = trailers[i] as string;
    if (HOP_BY_HOP.has(name) || FRAMING.has(name) || isOurs(name, ownCors)) continue;
    pairs.push([name, trailers[i + 1] as string]);
  }
  return pairs;
}

/** Makes the header section of an answer to an upgrade ours where it is, in place; the rest is as the upstream sent it. */
export function claimAnswer(exchange: Exchange, headers: IncomingHttpHeaders): void {
  const ownCors = answersForCors(exchange);
  for (const name of Object.keys(headers)) if (isOurs(name, ownCors)) delete headers[name];
  const { answerHeaders: ours } = exchange;
  for (let i = 0; i < ours.length; i += 2) {
    const name = ours[i] as string;
    const sent = headers[name];
    headers[name] = sent === undefined ? ours[i + 1] : `${sent}, ${ours[i + 1]}`;
  }
}

/** Whether a header says what the proxy says itself. */
function isOurs(name: string, ownCors: boolean): boolean {
  return name === 'x-request-id' || (ownCors && name.startsWith('access-control-'));
}

function answersForCors(exchange: Exchange): boolean {
  const cors = exchange.route?.cors;
  return cors !== undefined && cors !== null && cors !== 'upstream';
}

function namedInConnection(connection: string): ReadonlySet<string> | null {
  if (connection === '' || connection === 'keep-alive' || connection === 'close') return null;
  return new Set(connection.split(',').map((token) => token.trim().toLowerCase()));
}

function hasBody(exchange: Exchange, status: number): boolean {
  return exchange.request.method !== 'HEAD' && status !== 204 && status !== 304;
}

function isHttp11(exchange: Exchange): boolean {
  return exchange.request.httpVersionMajor === 1 && exchange.request.httpVersionMinor === 1;
}
