import type { IncomingHttpHeaders } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Exchange, inboundOf, outboundOf } from '../core/exchange.ts';

/** What http-proxy-middleware reads of a request: made of the prepared one, never of the client's. */
export interface UpgradeRequest {
  readonly method: string;
  /** Never the path: it would be parsed as a URL, in which `//x` is a host, and what cannot be parsed is dropped in silence. */
  readonly url: '/';
  readonly headers: Record<string, string>;
  readonly httpVersionMajor: 1;
  readonly socket: Duplex;
  readonly exchange: Exchange;
}

export function upgradeRequest(exchange: Exchange, socket: Duplex): UpgradeRequest {
  const { method, headers } = outboundOf(exchange);
  return { method, url: '/', headers: upgradeHeaders(headers), httpVersionMajor: 1, socket, exchange };
}

/** A header list as the object that node:http takes; repeated fields are joined (RFC 9110 section 5.3). */
function upgradeHeaders(list: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = Object.create(null);
  for (let i = 0; i < list.length; i += 2) {
    const name = list[i] as string;
    const value = list[i + 1] as string;
    const before = headers[name];
    headers[name] = before === undefined ? value : `${before}${name === 'cookie' ? '; ' : ', '}${value}`;
  }
  headers['connection'] = 'Upgrade';
  headers['upgrade'] = 'websocket';
  return headers;
}

/**
 * Chooses the subprotocol `bearer` where it carried the token, was not handed on, and the upstream chose none: browsers give up
 * a connection on which none of those they offered is chosen (WHATWG WebSockets section 4.1).
 */
export function acceptBearerProtocol(exchange: Exchange, answer: IncomingHttpHeaders): void {
  if (answer['sec-websocket-protocol'] !== undefined) return;
  if (offersBearer(inboundOf(exchange).headers) && !offersBearer(outboundOf(exchange).headers)) {
    answer['sec-websocket-protocol'] = 'bearer';
  }
}

function offersBearer(headers: readonly string[]): boolean {
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] === 'sec-websocket-protocol' && /(^|,)\s*bearer\s*(,|$)/.test(headers[i + 1] ?? ''))
      return true;
  }
  return false;
}
