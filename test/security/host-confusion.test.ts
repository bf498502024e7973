/**
 * A route for one host must not be met by another spelling of some host: CVE-2026-55602 (http-proxy-middleware) matched
 * a part of the Host header; bare node:http takes two Host headers, and an empty one.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attack, expectRefusal, onlyRequest, SHAPES, untilIdle } from '../support/attack.ts';
import { type ProxyUnderTest, startProxy } from '../support/proxy.ts';
import { exchangeRaw } from '../support/raw-http.ts';

let proxy: ProxyUnderTest;

beforeAll(async () => {
  proxy = await startProxy({
    routes: [
      { id: 'api', match: { host: 'api.example.com', path: '/x' }, allow: 'public', upstream: 'board' },
      { id: 'six', match: { host: '[::1]', path: '/x' }, allow: 'public', upstream: 'board' },
      { id: 'anywhere', match: { path: '/anywhere' }, allow: 'public', upstream: 'board' },
    ],
  });
});
afterAll(async () => {
  await untilIdle(proxy);
  await proxy.stop();
});

describe.each(SHAPES)('as %s', (shape) => {
  it.each([
    'api.example.com',
    'API.EXAMPLE.COM',
    'Api.Example.Com:8080',
    'api.example.com:80',
    'api.example.com.',
    'api.example.com.:443',
    '[::1]',
    '[::1]:8080',
  ])('finds the route of the host for %j', async (host) => {
    const outcome = await attack(proxy, shape, '/x', [`Host: ${host}`]);
    expect(onlyRequest(outcome).values('host')).toEqual([`127.0.0.1:${proxy.upstream.port}`]);
    expect(onlyRequest(outcome).values('x-forwarded-host')).toEqual([host]);
  });

  it.each([
    'evilapi.example.com',
    'api.example.com.evil.example',
    'example.com',
    'xapi.example.com',
    'api-example.com',
    'api.example.com..',
    'api..example.com',
    '.api.example.com',
    'api.example.comx:80',
    'localhost',
    '127.0.0.1',
    '[::2]',
  ])('finds no route for %j', async (host) => {
    expectRefusal(await attack(proxy, shape, '/x', [`Host: ${host}`]), 404, 'Not Found', 'ROUTE_NOT_FOUND');
  });

  it.each([
    [['Host:']],
    [['Host: ']],
    [['Host: .']],
    [['Host: :80']],
    [['Host: api.example.com:']],
    [['Host: api.example.com:80x']],
    [['Host: api.example.com:123456']],
    [['Host: user@api.example.com']],
    [['Host: user:secret@api.example.com']],
    [['Host: api.example.com/']],
    [['Host: api.example.com/x']],
    [['Host: api.example.com, evil.example']],
    [['Host: api.example.com evil.example']],
    [['Host: http://api.example.com']],
    [['Host: api.example.com#']],
    [['Host: api.example.com?']],
    [['Host: api.example.com\\evil']],
    [['Host: api%2eexample%2ecom']],
    [['Host: "api.example.com"']],
    [['Host: \xe4pi.example.com']],
    [['Host: [::1']],
    [['Host: ::1']],
    [['Host: [::1]x']],
    [['Host: [api.example.com]']],
    [['Host: api.example.com', 'Host: api.example.com']],
    [['Host: api.example.com', 'host: evil.example']],
    [['Host: api.example.com', 'Host:']],
  ])('refuses %j', async (lines) => {
    const outcome = await attack(proxy, shape, '/anywhere', lines);
    expectRefusal(outcome, 400, 'Bad Request', 'REQUEST_HOST_INVALID');
    expect(outcome.response.header('connection')).toBe('close');
  });

  it('refuses an empty Host beside an absolute target', async () => {
    const outcome = await attack(proxy, shape, 'http://api.example.com/x', ['Host: ']);
    expectRefusal(outcome, 400, 'Bad Request', 'REQUEST_HOST_INVALID');
  });

  it.each([
    'X-Forwarded-Host: api.example.com',
    'X-Host: api.example.com',
    'Forwarded: host=api.example.com',
  ])('believes no other header, such as %s', async (line) => {
    const outcome = await attack(proxy, shape, '/x', ['Host: evil.example', line]);
    expectRefusal(outcome, 404, 'Not Found', 'ROUTE_NOT_FOUND');
  });
});

describe('without a Host header', () => {
  it('refuses HTTP/1.1', async () => {
    const response = await exchangeRaw(proxy.origin, 'GET /anywhere HTTP/1.1\r\n\r\n');
    expect(response.json()).toMatchObject({ message: 'Bad Request', code: 'REQUEST_HOST_INVALID' });
  });

  it('refuses an upgrade', async () => {
    const head = 'GET /anywhere HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
    const response = await exchangeRaw(proxy.origin, head);
    expect(response.json()).toMatchObject({ message: 'Bad Request', code: 'REQUEST_HOST_INVALID' });
  });

  it('serves HTTP/1.0, on routes for any host only', async () => {
    const anywhere = await exchangeRaw(proxy.origin, 'GET /anywhere HTTP/1.0\r\n\r\n');
    const hosted = await exchangeRaw(proxy.origin, 'GET /x HTTP/1.0\r\n\r\n');
    expect([anywhere.status, hosted.status]).toEqual([200, 404]);
    expect(proxy.upstream.requests.at(-1)?.values('x-forwarded-host')).toEqual([]);
  });

  it('does not take the host from an absolute target of HTTP/1.0', async () => {
    const response = await exchangeRaw(proxy.origin, 'GET http://api.example.com/x HTTP/1.0\r\n\r\n');
    expect(response.json()).toMatchObject({ message: 'Bad Request', code: 'REQUEST_TARGET_INVALID' });
  });
});

describe("with the client's Host passed on", () => {
  it('sends it as it was judged, spelling and port included', async () => {
    const upstream = { url: proxy.upstream.origin, host: 'client' as const };
    await proxy.reload({
      upstreams: { board: upstream },
      routes: [
        { id: 'api', match: { host: 'api.example.com', path: '/x' }, allow: 'public', upstream: 'board' },
      ],
    });
    const outcome = await attack(proxy, 'request', '/x', ['Host: API.example.com:8443']);
    expect(onlyRequest(outcome).headerLines[0]).toBe('host: API.example.com:8443');
    expect(onlyRequest(outcome).values('host')).toHaveLength(1);
  });
});
