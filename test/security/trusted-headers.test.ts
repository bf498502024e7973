/**
 * Headers that only proxies and load balancers should send are believed from them only: CVE-2026-40575 (oauth2-proxy
 * judged X-Forwarded-Uri), CVE-2026-34457 (oauth2-proxy let health checkers in by their User-Agent). What makes software
 * behind us see another path, method or client than the one that was judged is dropped.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { attack, expectRefusal, onlyRequest, SHAPES, untilIdle } from '../support/attack.ts';
import { type ProxyConfig, type ProxyUnderTest, startProxy } from '../support/proxy.ts';

let proxy: ProxyUnderTest;

const ROUTES: ProxyConfig['routes'] = [
  { id: 'open', match: { path: '/public' }, allow: 'public', upstream: 'board' },
  { id: 'admin', match: { path: '/admin' }, allow: 'authenticated', upstream: 'board' },
  { id: 'read', match: { path: '/items', methods: ['GET'] }, allow: 'public', upstream: 'board' },
];

beforeAll(async () => {
  proxy = await startProxy({ routes: ROUTES });
});
afterEach(() => proxy.upstream.forget());
afterAll(async () => {
  await untilIdle(proxy);
  await proxy.stop();
});

const FORWARDED = [
  'X-Forwarded-For',
  'X-Forwarded-Proto',
  'X-Forwarded-Host',
  'X-Forwarded-Port',
  'X-Forwarded-Uri',
  'X-Forwarded-Method',
  'X-Forwarded-Prefix',
  'X-Forwarded-User',
  'X-Forwarded-Groups',
  'X-Forwarded-Access-Token',
  'X-Real-IP',
  'Forwarded',
];

const OVERRIDES = [
  'X-Original-URL',
  'X-Original-URI',
  'X-Rewrite-URL',
  'X-HTTP-Method',
  'X-HTTP-Method-Override',
  'X-Method-Override',
];

describe.each(SHAPES)('as %s', (shape) => {
  it.each([
    ['X-Forwarded-Uri: /public'],
    ['X-Original-URL: /public'],
    ['X-Rewrite-URL: /public'],
    ['X-Forwarded-Prefix: /public'],
    ['User-Agent: GoogleHC/1.0'],
    ['User-Agent: kube-probe/1.31'],
    ['User-Agent: ELB-HealthChecker/2.0'],
    ['X-Forwarded-For: 127.0.0.1'],
    ['Referer: https://api.example.com/public'],
    ['X-Forwarded-Method: OPTIONS'],
    ['X-Forwarded-User: root'],
  ])('asks for a token all the same with %s', async (line) => {
    expectRefusal(await attack(proxy, shape, '/admin', [line]), 401, 'Unauthorized', 'AUTHN_TOKEN_MISSING');
  });

  it.each(OVERRIDES)('drops %s, in any spelling', async (name) => {
    const spellings = [name, name.toUpperCase(), name.replaceAll('-', '_'), name.replaceAll('-', '.')];
    const outcome = await attack(
      proxy,
      shape,
      '/public',
      spellings.map((spelling) => `${spelling}: /admin`),
    );
    const request = onlyRequest(outcome);
    expect(request.requestLine).toBe('GET /public HTTP/1.1');
    expect(request.headers.filter(([, value]) => value === '/admin')).toEqual([]);
  });

  it('replaces what a stranger says of itself', async () => {
    const lines = FORWARDED.flatMap((name) => [
      `${name}: evil`,
      `${name.replaceAll('-', '.')}: evil`,
      `${name}: evil`,
    ]);
    const request = onlyRequest(await attack(proxy, shape, '/public', lines));
    const family = request.headers.filter(([name]) => /^(x.forwarded|forwarded|x.real.ip)/i.test(name));
    expect(family).toEqual([
      ['x-forwarded-for', '127.0.0.1'],
      ['x-forwarded-proto', 'http'],
      ['x-forwarded-host', 'api.example.com'],
      ['forwarded', 'for=127.0.0.1;proto=http;host="api.example.com"'],
    ]);
  });

  it('appends to what a trusted peer says, and drops odd spellings of it', async () => {
    const trusting = await startProxy({ server: { trustedProxies: ['127.0.0.0/8'] }, routes: ROUTES });
    try {
      const lines = [
        'X-Forwarded-For: 203.0.113.7, 198.51.100.2',
        'X-Forwarded-For: 10.0.0.9',
        'X-Forwarded-Proto: https',
        'X-Forwarded-Host: shop.example.com',
        'X-Forwarded-Port: 443',
        'X-Real-IP: 203.0.113.7',
        'Forwarded: for=203.0.113.7',
        'X.Forwarded.For: 192.0.2.1',
        'X_Forwarded_For: 192.0.2.2',
      ];
      const request = onlyRequest(await attack(trusting, shape, '/public', lines));
      const family = request.headers.filter(([name]) => /^(x.forwarded|forwarded|x.real.ip)/i.test(name));
      expect(family).toEqual([
        ['x-forwarded-port', '443'],
        ['x-real-ip', '203.0.113.7'],
        ['x-forwarded-for', '203.0.113.7, 198.51.100.2, 10.0.0.9, 127.0.0.1'],
        ['x-forwarded-proto', 'https'],
        ['x-forwarded-host', 'shop.example.com'],
        ['forwarded', 'for=203.0.113.7, for=127.0.0.1;proto=http;host="api.example.com"'],
      ]);
      expectRefusal(
        await attack(trusting, shape, '/admin', ['X-Forwarded-Uri: /public', 'X-Original-URL: /public']),
        401,
        'Unauthorized',
        'AUTHN_TOKEN_MISSING',
      );
    } finally {
      await trusting.stop();
    }
  });
});

it('judges the method that was sent, not one that a header names', async () => {
  const { connections } = proxy.upstream;
  const response = await proxy.request('POST /items HTTP/1.1', ['X-HTTP-Method-Override: GET'], 'x');
  expect(response.status).toBe(405);
  expect(response.json()).toMatchObject({ message: 'Method Not Allowed', code: 'ROUTE_METHOD_NOT_ALLOWED' });
  expect(proxy.upstream.connections).toBe(connections);
});
