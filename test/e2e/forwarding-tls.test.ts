import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { createCertificateAuthority } from '../support/certificate-authority.ts';
import { OPEN_ROUTE } from '../support/open-route.ts';
import { type ProxyUnderTest, startProxy } from '../support/proxy.ts';
import { openRaw } from '../support/raw-http.ts';
import { startTlsUpstream, type TlsUpstream } from '../support/tls-upstream.ts';

const authority = createCertificateAuthority();
const stranger = createCertificateAuthority('Somebody else');
const client = authority.issue(['proxy.internal']);

/** One server for each certificate. */
const SERVERS = {
  local: { ...authority.issue(['localhost']) },
  address: { ...authority.issue(['127.0.0.1']) },
  internal: { ...authority.issue(['board.internal']) },
  foreign: { ...stranger.issue(['localhost']) },
  expired: { ...authority.issue(['localhost'], [-30, -1]) },
  mutual: {
    ...authority.issue(['localhost']),
    ca: authority.cert,
    requestCert: true,
    rejectUnauthorized: true,
  },
  old: { ...authority.issue(['localhost']), maxVersion: 'TLSv1.1', minVersion: 'TLSv1' },
} as const;
type ServerName = keyof typeof SERVERS;

let servers: Record<ServerName, TlsUpstream>;
/** Speaks clear text where TLS is expected. */
const clearText = createServer();
let proxy: ProxyUnderTest;

beforeAll(async () => {
  servers = Object.fromEntries(
    await Promise.all(
      Object.entries(SERVERS).map(
        async ([name, options]) => [name, await startTlsUpstream(options)] as const,
      ),
    ),
  ) as typeof servers;
  clearText.listen(0, 'localhost');
  await once(clearText, 'listening');
  const ca = authority.cert;
  const at = (host: string, name: ServerName) => `https://${host}:${servers[name].port}`;
  const upstreams = {
    trusted: { url: at('localhost', 'local'), tls: { ca } },
    'no-ca': { url: at('localhost', 'local') },
    'by-address': { url: at('127.0.0.1', 'address'), tls: { ca } },
    'by-address-for-client': { url: at('127.0.0.1', 'address'), tls: { ca }, host: 'client' as const },
    'wrong-address': { url: at('127.0.0.1', 'local'), tls: { ca } },
    named: { url: at('127.0.0.1', 'internal'), tls: { ca, servername: 'board.internal' } },
    'wrong-name': { url: at('localhost', 'internal'), tls: { ca } },
    'named-for-client': {
      url: at('localhost', 'internal'),
      tls: { ca, servername: 'board.internal' },
      host: 'client' as const,
    },
    'for-client': { url: at('localhost', 'local'), tls: { ca }, host: 'client' as const },
    foreign: { url: at('localhost', 'foreign'), tls: { ca } },
    expired: { url: at('localhost', 'expired'), tls: { ca } },
    mutual: { url: at('localhost', 'mutual'), tls: { ca, cert: client.cert, key: client.key } },
    'no-client-cert': { url: at('localhost', 'mutual'), tls: { ca } },
    old: { url: at('localhost', 'old'), tls: { ca } },
    'not-tls': { url: `https://localhost:${(clearText.address() as AddressInfo).port}` },
  };
  proxy = await startProxy({
    upstreams,
    routes: [
      OPEN_ROUTE,
      ...Object.keys(upstreams).map((name) => ({
        ...OPEN_ROUTE,
        id: name,
        match: { path: `/${name}` },
        upstream: name,
      })),
    ],
  });
});
afterAll(async () => {
  await proxy.stop();
  clearText.close();
  await Promise.all(Object.values(servers).map((server) => server.stop()));
});

const CLIENT_HOST = 'attacker.example';

const TAKEN: readonly [upstream: string, server: ServerName, servername: string, host: RegExp][] = [
  ['trusted', 'local', 'localhost', /^localhost:\d+$/],
  ['by-address', 'address', '', /^127\.0\.0\.1:\d+$/],
  ['by-address-for-client', 'address', '', /^attacker\.example$/],
  ['named', 'internal', 'board.internal', /^127\.0\.0\.1:\d+$/],
  ['named-for-client', 'internal', 'board.internal', /^attacker\.example$/],
  ['for-client', 'local', 'localhost', /^attacker\.example$/],
  ['mutual', 'mutual', 'localhost', /^localhost:\d+$/],
];

const REFUSED = [
  'no-ca',
  'wrong-address',
  'wrong-name',
  'foreign',
  'expired',
  'no-client-cert',
  'old',
  'not-tls',
] as const;

describe('a request over TLS', () => {
  it.each(TAKEN)('is taken: %s', async (name, server, servername, host) => {
    const got = await proxy.request(`GET /${name} HTTP/1.1`, [`Host: ${CLIENT_HOST}`]);
    expect([got.status, got.text]).toEqual([200, 'secret ok']);
    const sight = servers[server].seen.findLast(({ path }) => path === `/${name}`);
    // The name is the configuration’s, whatever Host the client sends.
    expect(sight?.servername).toBe(servername);
    expect(sight?.host).toMatch(host);
    expect(sight?.protocol).toBe('http/1.1');
    expect(sight?.client).toBe(name === 'mutual' ? 'proxy.internal' : undefined);
  });

  it.each(REFUSED)('is refused: %s', async (name) => {
    const got = await proxy.request(`POST /${name} HTTP/1.1`, [`Host: ${CLIENT_HOST}`], 'secret');
    expect([got.status, got.json()]).toEqual([
      502,
      {
        message: 'Bad Gateway',
        code: expect.stringMatching(/^UPSTREAM_(CONNECT_FAILED|RESET)$/),
        requestId: got.header('x-request-id'),
      },
    ]);
    expect(
      Object.values(servers)
        .flatMap(({ seen }) => seen)
        .filter(({ path }) => path === `/${name}`),
    ).toEqual([]);
  });

  it('shares its connection with the next, whatever Host that one has', async () => {
    await proxy.request('GET /for-client HTTP/1.1', ['Host: one.example']);
    const before = servers.local.connections;
    for (const host of ['two.example', 'three.example', 'two.example']) {
      expect((await proxy.request('GET /for-client HTTP/1.1', [`Host: ${host}`])).status).toBe(200);
    }
    expect(servers.local.connections).toBe(before);
  });
});

describe('a WebSocket over TLS', () => {
  it.each(TAKEN)('is taken: %s', async (name, server, servername, host) => {
    const webSocket = new WebSocket(`${proxy.origin.replace('http', 'ws')}/${name}`, {
      headers: { host: CLIENT_HOST },
    });
    await once(webSocket, 'open');
    webSocket.send('hello');
    expect(String((await once(webSocket, 'message'))[0])).toBe('hello');
    webSocket.close();
    await once(webSocket, 'close');
    const sight = servers[server].seen.findLast(({ path }) => path === `/${name}`);
    expect(sight?.servername).toBe(servername);
    expect(sight?.host).toMatch(host);
    expect(sight?.client).toBe(name === 'mutual' ? 'proxy.internal' : undefined);
  });

  it.each(REFUSED)('is refused: %s', async (name) => {
    const connection = await openRaw(proxy.origin);
    connection.send(
      `GET /${name} HTTP/1.1\r\nHost: ${CLIENT_HOST}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    const got = await connection.response();
    expect([got.status, got.json()]).toEqual([502, expect.objectContaining({ message: 'Bad Gateway' })]);
    connection.close();
  });
});
