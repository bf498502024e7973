/**
 * The admin port shows to strangers what it is meant to show them: CVE-2025-24030 (Envoy Gateway) let paths under the
 * metrics lead to all of the admin interface.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ProxyUnderTest, startProxy } from '../support/proxy.ts';
import { exchangeRaw } from '../support/raw-http.ts';

let proxy: ProxyUnderTest;

beforeAll(async () => {
  proxy = await startProxy({
    routes: [{ id: 'open', match: { path: '/{path+}' }, allow: 'public', upstream: 'board' }],
  });
});
afterAll(() => proxy.stop());

describe('a path that is not its own spelling', () => {
  it.each([
    '/metrics/../routes',
    '/metrics/../',
    '/metrics/%2e%2e/routes',
    '/metrics/..%2froutes',
    '/metrics/..\\routes',
    '/metrics;/routes',
    '/metrics/',
    '/metrics/x',
    '//routes',
    '/./routes',
    '/ROUTES',
    '/routes/',
    '/routes%2f',
    '/routes%00',
    '/livez/../routes',
    '/readyz/..;/routes',
    '/config',
    '/quitquitquit',
    '/debug/pprof',
    'http://evil.example/routes/x',
  ])('%s is 404', async (target) => {
    const response = await exchangeRaw(proxy.admin, `GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`);
    expect(response.status).toBe(404);
    expect(response.text).not.toContain('"open"');
  });

  it.each(['POST', 'PUT', 'DELETE', 'PATCH'])('%s changes nothing', async (method) => {
    for (const target of ['/', '/metrics', '/routes', '/livez', '/readyz']) {
      const bytes = `${method} ${target} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n`;
      expect((await exchangeRaw(proxy.admin, bytes)).status).toBe(405);
    }
  });
});

describe('the public port', () => {
  it.each(['/metrics', '/livez', '/readyz', '/routes'])('has no %s of its own', async (path) => {
    const response = await proxy.request(`GET ${path} HTTP/1.1`);
    expect([response.status, response.text]).toEqual([200, 'ok']);
    expect(proxy.upstream.requests.at(-1)?.target).toBe(path);
  });
});
