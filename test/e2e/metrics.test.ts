import { afterEach, describe, expect, it } from 'vitest';
import { bearer, type ProxyConfig, type ProxyUnderTest, startProxy } from '../support/proxy.ts';
import { openRaw, type RawResponse, requestBytes } from '../support/raw-http.ts';
import { metricValue } from '../support/served.ts';
import { held } from '../support/upstream-answers.ts';

let proxy: ProxyUnderTest;
afterEach(() => proxy.stop());

const ROUTES: ProxyConfig['routes'] = [
  { id: 'open', match: { path: '/open/{proxy+}' }, allow: 'public', upstream: 'board' },
  { id: 'posts', match: { path: '/posts' }, allow: 'authenticated', upstream: 'board' },
];

/** Lines that are a series, without their values. */
const seriesOf = (metrics: string): string[] =>
  metrics
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.slice(0, line.lastIndexOf(' ')));

describe('the metrics of a proxy', () => {
  it('with five thousand routes stay small until the routes are used', async () => {
    const routes = Array.from({ length: 5_000 }, (_, i): ProxyConfig['routes'][number] => ({
      id: `route-${i}`,
      match: { path: `/things-${i}/{id}` },
      allow: 'authenticated',
      upstream: 'board',
    }));
    proxy = await startProxy({ routes, metrics: { routeHistograms: true } });
    const atStart = await proxy.metrics();
    expect(atStart.length).toBeLessThan(20_000);
    expect(atStart).not.toContain('route-');
    expect((await proxy.request('GET /things-4711/x HTTP/1.1')).status).toBe(401);
    const used = await proxy.metrics();
    expect(used).toContain('{route="route-4711",status="4xx"} 1');
    expect(used.length - atStart.length).toBeLessThan(4_000);
  });

  it('have the same series after many paths, tokens, hosts, queries and methods as after one of each kind', async () => {
    proxy = await startProxy({ routes: ROUTES });
    const round = async (i: number): Promise<void> => {
      const connection = await openRaw(proxy.origin);
      const ask = async (line: string, headers: string[] = []): Promise<void> => {
        connection.send(requestBytes(`${line} HTTP/1.1`, [`Host: host-${i}.example.com`, ...headers]));
        await connection.response(line.split(' ', 1)[0]);
      };
      await ask(`GET /open/${i}?q=${i}`);
      await ask(`GET /nowhere/${i}`);
      await ask('GET /posts', [bearer(proxy.token({ sub: `user-${i}`, jti: String(i) }))]);
      await ask('GET /posts', [bearer(proxy.token({ client_id: `client-${i}` }))]);
      await ask(`${['PROPFIND', 'MKCOL', 'PURGE', 'REPORT', 'LOCK'][i % 5]} /open/${i}`);
      connection.close();
    };
    await round(0);
    const first = seriesOf(await proxy.metrics());
    for (let i = 1; i <= 60; i += 1) await round(i);
    const later = await proxy.metrics();
    expect(seriesOf(later).filter((name) => !/^(nodejs|process)_/.test(name))).toEqual(
      first.filter((name) => !/^(nodejs|process)_/.test(name)),
    );
    expect(metricValue(later, 'cognito_auth_proxy_requests_total{route="open",status="2xx"}')).toBe(122);
    expect(
      metricValue(later, 'http_server_request_duration_seconds_count{method="_OTHER",status="200"}'),
    ).toBe(61);
    expect(later).not.toMatch(/host-|user-|client-|nowhere/);
  });

  it('count who left first as 499: let through or refused only if that was decided', async () => {
    proxy = await startProxy(
      { routes: ROUTES },
      { awaitReady: false, prepareKeys: (keys) => keys.behave('held') },
    );
    const slow = held();
    proxy.upstream.on('/open/slow', slow);
    const lines = (): unknown[] => proxy.log.filter((line) => line.message === 'request');

    const decided = await openRaw(proxy.origin);
    decided.send(requestBytes('GET /open/slow HTTP/1.1', ['Host: a']));
    await slow.arrived;
    expect(metricValue(await proxy.metrics(), 'cognito_auth_proxy_requests_in_flight')).toBe(1);
    decided.reset();
    while (lines().length < 1) await new Promise((resolve) => setImmediate(resolve));

    const undecided = await openRaw(proxy.origin);
    undecided.send(requestBytes('GET /posts HTTP/1.1', ['Host: a', bearer(proxy.token())]));
    while (metricValue(await proxy.metrics(), 'cognito_auth_proxy_requests_in_flight') !== 1);
    undecided.reset();
    while (lines().length < 2) await new Promise((resolve) => setImmediate(resolve));

    expect(lines()).toMatchObject([
      { route: 'open', status: 499, decision: 'allow', bytes: 0 },
      { route: 'posts', status: 499, decision: undefined, bytes: 0 },
    ]);
    const metrics = await proxy.metrics();
    expect(
      metricValue(metrics, 'http_server_request_duration_seconds_count{method="GET",status="499"}'),
    ).toBe(2);
    expect(metricValue(metrics, 'cognito_auth_proxy_requests_total{route="posts",status="4xx"}')).toBe(1);
    expect(metrics.match(/^cognito_auth_proxy_decisions_total\{.*$/gm)).toEqual([
      'cognito_auth_proxy_decisions_total{route="open",decision="allow",code="ok"} 1',
    ]);
    expect(metricValue(metrics, 'cognito_auth_proxy_requests_in_flight')).toBe(0);
    proxy.keys.release();
    slow.release();
  });

  it('count what never became a request, and the log knows the id that the answer carries', async () => {
    proxy = await startProxy({ routes: ROUTES, server: { limits: { connections: 2 } } });
    const first = await openRaw(proxy.origin);
    const other = await openRaw(proxy.origin);
    const tooMany = await (await openRaw(proxy.origin)).response();
    first.send('GET /open/x HTTP/1.1\r\nHost: a\r\nno header\r\n\r\n');
    const malformed = await first.response();
    expect([tooMany.status, malformed.status]).toEqual([503, 400]);

    const idOf = (answer: RawResponse) => (answer.json() as { requestId: string }).requestId;
    const refused = { message: 'connection refused', decision: 'deny', client: '127.0.0.1' };
    expect(proxy.log.filter((line) => line.message === refused.message)).toEqual([
      { ...refused, level: 'warn', status: 503, code: 'LIMIT_CONNECTIONS', requestId: idOf(tooMany) },
      { ...refused, level: 'info', status: 400, code: 'REQUEST_MALFORMED', requestId: idOf(malformed) },
    ]);
    const metrics = await proxy.metrics();
    expect(metrics.match(/^cognito_auth_proxy_decisions_total\{.*$/gm)).toEqual([
      'cognito_auth_proxy_decisions_total{route="none",decision="deny",code="LIMIT_CONNECTIONS"} 1',
      'cognito_auth_proxy_decisions_total{route="none",decision="deny",code="REQUEST_MALFORMED"} 1',
    ]);
    first.close();
    other.close();
  });
});
