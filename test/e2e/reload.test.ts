import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OPEN_ROUTE } from '../support/open-route.ts';
import { bearer, CLIENT_ID, type ProxyConfig, type ProxyUnderTest, startProxy } from '../support/proxy.ts';
import { openRaw } from '../support/raw-http.ts';
import { accessClaims, makeKey, signToken } from '../support/token-factory.ts';
import { answer, held } from '../support/upstream-answers.ts';

/** An upstream that only these routes name: none of its own is always there. */
const ROUTE = { ...OPEN_ROUTE, upstream: 'main' };
const routes: ProxyConfig['routes'] = [ROUTE];
/** Kept for longer than any test runs: a connection that ends does so because of a reload. */
const LONG = { timeouts: { keepAlive: '1h' } };

let proxy: ProxyUnderTest;

beforeEach(async () => {
  proxy = await startProxy({ upstreams: { main: LONG, other: {} }, routes });
});
afterEach(() => proxy.stop());

const get = (path: string) => proxy.request(`GET ${path} HTTP/1.1`);

describe('a reload', () => {
  it('takes effect for the next request, on the same connection', async () => {
    const connection = await openRaw(proxy.origin);
    const ask = async () => {
      connection.send('GET /x HTTP/1.1\r\nHost: a\r\n\r\n');
      return (await connection.response()).status;
    };
    expect(await ask()).toBe(200);
    await proxy.reload({ routes: [{ ...ROUTE, allow: 'authenticated' }], upstreams: { main: LONG } });
    expect(await ask()).toBe(401);
    await proxy.reload({ routes, upstreams: { main: LONG } });
    expect(await ask()).toBe(200);
    connection.close();
  });

  it('leaves a request under way as it was judged', async () => {
    const slow = held(answer(200, 'slow'));
    proxy.upstream.on('/slow', slow);
    const got = get('/slow');
    const { connection } = await slow.arrived;
    await proxy.reload({
      routes: [{ ...ROUTE, allow: 'authenticated', upstream: 'new' }],
      upstreams: { new: {} },
    });
    slow.release();
    expect((await got).text).toBe('slow');
    // Its connection belonged to settings that are gone.
    await proxy.upstream.closed(connection);
  });

  it('leaves a request that is being judged the upstream it was for', async () => {
    await proxy.reload({
      routes: [{ ...ROUTE, allow: 'authenticated', upstream: 'other' }],
      upstreams: { other: {} },
    });
    // A token signed with a new key has to wait for that key.
    const rotated = makeKey('rotated');
    const token = signToken(rotated, accessClaims({ issuer: proxy.issuer, clientId: CLIENT_ID }));
    proxy.keys.publish([proxy.key, rotated]);
    proxy.keys.behave('held');
    const asked = proxy.keys.requested(proxy.keys.requests + 1);
    const got = proxy.request('GET /judged HTTP/1.1', [bearer(token)]);
    await asked;
    await proxy.reload({ routes, upstreams: { main: LONG } });
    proxy.keys.release();
    expect((await got).status).toBe(200);
    expect((await proxy.upstream.request(0)).target).toBe('/judged');
  });

  it('that fails leaves everything as it was', async () => {
    const broken: ProxyConfig = { routes: [{ ...ROUTE, upstream: 'missing', allow: 'authenticated' }] };
    await expect(proxy.reload(broken)).rejects.toThrow('missing');
    expect((await get('/x')).status).toBe(200);
  });
});

describe('connections to an upstream', () => {
  const connectionOf = async (index: number) => (await proxy.upstream.request(index)).connection;

  const SURVIVED: readonly [what: string, config: ProxyConfig][] = [
    ['nothing', { routes, upstreams: { main: LONG, other: {} } }],
    ['the routes', { routes: [{ ...ROUTE, id: 'renamed' }], upstreams: { main: LONG } }],
    ['another upstream', { routes, upstreams: { main: LONG, other: { timeouts: { connect: '9s' } } } }],
    [
      'what each request brings along',
      {
        routes,
        upstreams: {
          main: {
            timeouts: { ...LONG.timeouts, response: '9s', bodyIdle: '9s' },
            retries: 3,
            host: 'client',
          },
        },
      },
    ],
  ];
  it.each(SURVIVED)('survive a reload that changes %s', async (_what, config) => {
    await get('/first');
    await proxy.reload(config);
    await get('/second');
    expect(await connectionOf(1)).toBe(await connectionOf(0));
  });

  const ENDED: readonly [what: string, config: ProxyConfig][] = [
    ['how they are made', { routes, upstreams: { main: { timeouts: { ...LONG.timeouts, connect: '9s' } } } }],
    ['how long they are kept', { routes, upstreams: { main: { timeouts: { keepAlive: '2h' } } } }],
    [
      'the name of the upstream',
      { routes: [{ ...ROUTE, upstream: 'renamed' }], upstreams: { renamed: LONG } },
    ],
  ];
  it.each(ENDED)('end with a reload that changes %s', async (_what, config) => {
    await get('/first');
    await proxy.reload(config);
    expect(await proxy.upstream.closed(await connectionOf(0))).toBe('end');
    await get('/second');
    expect(await connectionOf(1)).not.toBe(await connectionOf(0));
  });

  it('are not forgotten in the count while they finish', async () => {
    const slow = held();
    proxy.upstream.on('/slow', slow);
    const got = get('/slow');
    await slow.arrived;
    await proxy.reload({ routes, upstreams: { main: { timeouts: { ...LONG.timeouts, connect: '9s' } } } });
    expect(await proxy.metrics()).toContain('cognito_auth_proxy_upstream_connections{upstream="main"} 1\n');
    slow.release();
    expect((await got).status).toBe(200);
  });
});
