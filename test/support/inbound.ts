import type { Inbound } from '../../src/core/inbound.ts';

/** A canonical request, `GET /` unless said otherwise. */
export function inbound(changes: Partial<Inbound> = {}): Inbound {
  return {
    method: 'GET',
    scheme: 'http',
    host: 'api.example.com',
    authority: 'api.example.com',
    path: '/',
    irregular: 0,
    query: null,
    headers: [],
    contentLength: 0,
    upgrade: false,
    peer: '192.0.2.1',
    trustedPeer: false,
    ...changes,
  };
}
