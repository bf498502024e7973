import type { IncomingHttpHeaders } from 'node:http';
import type { Exchange } from '../core/exchange.ts';
import type { HeaderList } from '../core/headers.ts';

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

/**
 * Makes the header section of an answer: the upstream's end-to-end headers, then ours. Where the proxy answers for CORS,
 * the upstream's own CORS headers are dropped, as API Gateway does, so that there is one policy.
 *
 * @param headers of the upstream, names in lower case
 */
export function answerHeaders(
  exchange: Exchange,
  status: number,
  headers: Readonly<IncomingHttpHeaders>,
): HeaderList {
  const named = namedInConnection(headers['connection']);
  const ownCors = exchange.route?.cors != null && exchange.route.cors !== 'upstream';
  // node:http sends trailers only in a chunked body, and refuses the Trailer header elsewhere.
  const chunked = headers['content-length'] === undefined && hasBody(exchange, status) && isHttp11(exchange);
  const list: HeaderList = [];
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || HOP_BY_HOP.has(name) || name === 'x-request-id' || named?.has(name)) continue;
    if (ownCors && name.startsWith('access-control-')) continue;
    if (name === 'trailer' && !chunked) continue;
    if (name === 'content-length' && status === 204) continue;
    if (typeof value === 'string') list.push(name, value);
    else for (const one of value) list.push(name, one);
  }
  for (const item of exchange.answerHeaders) list.push(item);
  return list;
}

function namedInConnection(connection: string | undefined): ReadonlySet<string> | null {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return null;
  return new Set(connection.split(',').map((token) => token.trim().toLowerCase()));
}

function hasBody(exchange: Exchange, status: number): boolean {
  return exchange.request.method !== 'HEAD' && status !== 204 && status !== 304;
}

function isHttp11(exchange: Exchange): boolean {
  return exchange.request.httpVersionMajor === 1 && exchange.request.httpVersionMinor === 1;
}
