import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createFakeClock, type FakeClock } from '../../support/fake-clock.ts';
import { bearer, type ProxyConfig, type ProxyUnderTest, startProxy } from '../../support/proxy.ts';
import type { RawResponse } from '../../support/raw-http.ts';
import { runOut } from '../../support/run-out.ts';
import { answer, upgradeEcho } from '../../support/upstream-answers.ts';

const UPGRADE = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

type Route = ProxyConfig['routes'][number];

/** Routes whose limits leak one request in twenty minutes. */
function limited(id: string, route: Partial<Route> = {}, limit: Partial<Route['rateLimit']> = {}): Route {
  return {
    id,
    match: { path: `/${id}` },
    allow: 'authenticated',
    upstream: 'board',
    ...route,
    rateLimit: { by: 'caller', requests: 3, per: '1h', ...limit },
  };
}

const CONFIG: ProxyConfig = {
  server: { trustedProxies: ['127.0.0.1'] },
  cors: { origins: ['https://app.example.com'], methods: ['GET'] },
  routes: [
    limited('caller'),
    limited('burst', {}, { burst: 1 }),
    limited('client', {}, { by: 'client' }),
    limited('guests', { allow: 'optional' }),
    limited('address', { allow: 'public' }, { by: 'address' }),
    limited('strict', { allow: { groups: 'writers' } }),
    limited('preflight', { match: { path: '/preflight', methods: ['GET'] }, cors: 'upstream' }),
    { id: 'free', match: { path: '/free' }, allow: 'authenticated', upstream: 'board' },
  ],
};

let clock: FakeClock;
let proxy: ProxyUnderTest;

beforeAll(async () => {
  clock = createFakeClock(Date.now());
  proxy = await startProxy(CONFIG, { clock });
});
afterAll(() => runOut(clock, proxy.stop()));
beforeEach(() => {
  // Every bucket is empty again.
  clock.advance(3_600_000);
  proxy.upstream.forget();
});

/** Tokens are good for the two hours that every test takes by its clock. */
function token(claims: object): string {
  const exp = Math.floor(clock.now() / 1000) + 86_400;
  return bearer(proxy.token({ exp, ...claims }));
}

const get = (path: string, ...lines: string[]): Promise<RawResponse> =>
  proxy.request(`GET ${path} HTTP/1.1`, lines);

async function statuses(count: number, ask: () => Promise<RawResponse>): Promise<number[]> {
  const seen: number[] = [];
  for (let i = 0; i < count; i++) seen.push((await ask()).status);
  return seen;
}

describe('a limit by caller', () => {
  it('lets so many through, then answers 429 until there is room', async () => {
    const alice = token({ sub: 'alice' });
    const ask = () => get('/caller', alice);
    const left: unknown[] = [];
    for (let i = 0; i < 3; i++) {
      const response = await ask();
      left.push([response.status, response.header('ratelimit-policy'), response.header('ratelimit')]);
    }
    expect(left).toEqual([
      [200, '"caller";q=3;w=3600', '"caller";r=2;t=1200'],
      [200, '"caller";q=3;w=3600', '"caller";r=1;t=1200'],
      [200, '"caller";q=3;w=3600', '"caller";r=0;t=1200'],
    ]);

    clock.advance(600_500);
    const over = await ask();
    expect([over.status, over.header('retry-after'), over.header('ratelimit'), over.json()]).toEqual([
      429,
      '600',
      '"caller";r=0;t=600',
      { message: 'Too Many Requests', code: 'LIMIT_RATE', requestId: over.header('x-request-id') },
    ]);
    expect(over.header('ratelimit-policy')).toBe('"caller";q=3;w=3600');
    expect(proxy.upstream.requests).toHaveLength(3);
    expect(await proxy.metrics()).toMatch(
      /^cognito_auth_proxy_decisions_total{route="caller",decision="deny",code="LIMIT_RATE"} 1$/m,
    );

    clock.advance(599_499);
    expect((await ask()).status).toBe(429);
    clock.advance(1);
    expect((await ask()).status).toBe(200);
    expect((await ask()).status).toBe(429);
  });

  it('counts every caller by itself, whatever token and address they come with', async () => {
    const first = token({ sub: 'alice', jti: '1' });
    expect(await statuses(3, () => get('/caller', first, 'X-Forwarded-For: 192.0.2.1'))).toEqual([
      200, 200, 200,
    ]);
    const second = token({ sub: 'alice', jti: '2' });
    expect((await get('/caller', second, 'X-Forwarded-For: 192.0.2.2')).status).toBe(429);
    expect((await get('/caller', token({ sub: 'bob' }), 'X-Forwarded-For: 192.0.2.1')).status).toBe(200);
  });

  it('counts every route by itself', async () => {
    const alice = token({ sub: 'alice' });
    expect(await statuses(4, () => get('/caller', alice))).toEqual([200, 200, 200, 429]);
    expect((await get('/client', alice)).status).toBe(200);
    expect(await statuses(5, () => get('/free', alice))).toEqual([200, 200, 200, 200, 200]);
    expect((await get('/free', alice)).header('ratelimit')).toBeUndefined();
  });

  it('with a burst of one lets them come one by one', async () => {
    const alice = token({ sub: 'alice' });
    expect(await statuses(2, () => get('/burst', alice))).toEqual([200, 429]);
    clock.advance(1_200_000);
    expect(await statuses(2, () => get('/burst', alice))).toEqual([200, 429]);
  });

  it('counts guests by their addresses', async () => {
    const from = (address: string) => get('/guests', `X-Forwarded-For: ${address}`);
    expect(await statuses(4, () => from('192.0.2.1'))).toEqual([200, 200, 200, 429]);
    expect((await from('192.0.2.2')).status).toBe(200);
    expect((await get('/guests', token({ sub: 'alice' }), 'X-Forwarded-For: 192.0.2.1')).status).toBe(200);
  });

  it('counts upgrades like requests', async () => {
    proxy.upstream.on('/caller', upgradeEcho());
    const alice = token({ sub: 'alice' });
    const ask = () => runOut(clock, get('/caller', alice, ...UPGRADE));
    expect(await statuses(4, ask)).toEqual([101, 101, 101, 429]);
    expect((await ask()).header('retry-after')).toMatch(/^\d+$/);
  });
});

describe('a limit by client', () => {
  it('counts all users of an app client together', async () => {
    let users = 0;
    const ask = () => get('/client', token({ sub: `user ${users++}` }));
    expect(await statuses(4, ask)).toEqual([200, 200, 200, 429]);
  });
});

describe('a limit by address', () => {
  it('counts whom trusted proxies name, IPv6 by its /64', async () => {
    const from = (address: string) => get('/address', `X-Forwarded-For: ${address}`);
    expect(await statuses(4, () => from('192.0.2.7'))).toEqual([200, 200, 200, 429]);
    // What the client itself has put in front of that changes nothing.
    expect((await from('203.0.113.5, 192.0.2.7')).status).toBe(429);
    let host = 0;
    expect(await statuses(4, () => from(`2001:db8::${(host++).toString(16)}`))).toEqual([200, 200, 200, 429]);
    expect((await from('2001:db8:0:1::1')).status).toBe(200);
  });

  it('counts the peer, whatever it says, where it is not trusted', async () => {
    const stranger = await startProxy({ routes: CONFIG.routes });
    let said = 0;
    const ask = () => stranger.request('GET /address HTTP/1.1', [`X-Forwarded-For: 192.0.2.${said++}`]);
    expect(await statuses(4, ask)).toEqual([200, 200, 200, 429]);
    await stranger.stop();
  });
});

describe('not counted is', () => {
  it('what the rule refuses', async () => {
    const reader = token({ sub: 'alice', 'cognito:groups': ['readers'] });
    expect(await statuses(5, () => get('/strict', reader))).toEqual([403, 403, 403, 403, 403]);
    expect(await statuses(5, () => get('/strict'))).toEqual([401, 401, 401, 401, 401]);
    expect((await get('/strict', reader)).header('ratelimit')).toBeUndefined();
    const writer = token({ sub: 'alice', 'cognito:groups': ['writers'] });
    expect(await statuses(4, () => get('/strict', writer))).toEqual([200, 200, 200, 429]);
  });

  it('a preflight, passed on or answered here', async () => {
    const lines = ['Origin: https://app.example.com', 'Access-Control-Request-Method: GET'];
    const preflight = (path: string) => proxy.request(`OPTIONS ${path} HTTP/1.1`, lines);
    expect(await statuses(5, () => preflight('/preflight'))).toEqual([200, 200, 200, 200, 200]);
    expect(await statuses(5, () => preflight('/caller'))).toEqual([204, 204, 204, 204, 204]);
  });
});

describe('what is said about a limit', () => {
  it('stands beside what the upstream says about one of its own', async () => {
    proxy.upstream.on(
      '/caller',
      answer(500, 'x', ['RateLimit: "theirs";r=1', 'RateLimit-Policy: "theirs";q=9']),
    );
    const { status, headers } = await get('/caller', token({ sub: 'alice' }));
    const values = (name: string) =>
      headers.filter(([each]) => each.toLowerCase() === name).map(([, value]) => value);
    expect([status, values('ratelimit'), values('ratelimit-policy')]).toEqual([
      500,
      ['"theirs";r=1', '"caller";r=2;t=1200'],
      ['"theirs";q=9', '"caller";q=3;w=3600'],
    ]);
  });

  it('is a page for people', async () => {
    const alice = token({ sub: 'alice' });
    await statuses(3, () => get('/caller', alice));
    const page = await get('/caller', alice, 'Accept: text/html');
    expect([page.status, page.header('content-type')]).toEqual([429, 'text/html; charset=utf-8']);
    expect(page.text).toContain('LIMIT_RATE');
  });

  it('can be read by scripts of other sites', async () => {
    const alice = token({ sub: 'alice' });
    await statuses(3, () => get('/caller', alice));
    const refused = await get('/caller', alice, 'Origin: https://app.example.com');
    expect([refused.status, refused.header('access-control-allow-origin')]).toEqual([
      429,
      'https://app.example.com',
    ]);
  });
});

describe('a reload', () => {
  it('keeps the counts of limits that stay, and starts anew those that change', async () => {
    const alice = token({ sub: 'alice' });
    expect(await statuses(4, () => get('/caller', alice))).toEqual([200, 200, 200, 429]);
    expect(await statuses(4, () => get('/client', alice))).toEqual([200, 200, 200, 429]);
    const routes = CONFIG.routes.map((route) =>
      route.id === 'client' ? limited('client', {}, { by: 'client', requests: 1 }) : route,
    );
    await proxy.reload({ ...CONFIG, routes });
    expect((await get('/caller', alice)).status).toBe(429);
    expect(await statuses(2, () => get('/client', alice))).toEqual([200, 429]);
    await proxy.reload(CONFIG);
  });
});
