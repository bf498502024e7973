/** The clock of the wall steps, as it does where NTP sets it right or a machine wakes up. Claims are held against it; nothing else is. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFakeClock, type FakeClock } from '../../support/fake-clock.ts';
import { OPEN_ROUTE } from '../../support/open-route.ts';
import { bearer, type ProxyUnderTest, startProxy } from '../../support/proxy.ts';
import type { RawResponse } from '../../support/raw-http.ts';
import { runOut } from '../../support/run-out.ts';
import { held } from '../../support/upstream-answers.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let clock: FakeClock;
let proxy: ProxyUnderTest;

beforeEach(async () => {
  clock = createFakeClock(Date.now());
  proxy = await startProxy(
    {
      upstreams: { board: { timeouts: { response: '30s', bodyIdle: '30s' } } },
      routes: [
        OPEN_ROUTE,
        { id: 'posts', match: { path: '/posts' }, allow: 'authenticated', upstream: 'board' },
        {
          ...OPEN_ROUTE,
          id: 'seldom',
          match: { path: '/seldom' },
          rateLimit: { by: 'address', requests: 1, per: '1h' },
        },
      ],
    },
    { clock },
  );
});
afterEach(() => runOut(clock, proxy.stop()));

const posts = (token: string): Promise<RawResponse> => proxy.request('GET /posts HTTP/1.1', [bearer(token)]);

describe('a step of the wall clock', () => {
  it('forward ends tokens at once, those known to be good as well, and back gives them their time again', async () => {
    const token = proxy.token();
    expect((await posts(token)).status).toBe(200);
    clock.stepWall(2 * HOUR);
    for (const one of [token, proxy.token()]) {
      const got = await posts(one);
      expect([got.status, got.json()]).toMatchObject([401, { code: 'AUTHN_TOKEN_EXPIRED' }]);
    }
    clock.stepWall(-2 * HOUR);
    expect((await posts(token)).status).toBe(200);
  });

  it('back does not let in what is not valid yet', async () => {
    const token = proxy.token({ nbf: Math.floor(clock.now() / 1000) });
    clock.stepWall(-DAY);
    const got = await posts(token);
    expect([got.status, got.json()]).toMatchObject([401, { code: 'AUTHN_TOKEN_NOT_YET_VALID' }]);
    clock.stepWall(DAY);
    expect((await posts(token)).status).toBe(200);
  });

  it.each([
    ['forward', DAY],
    ['back', -DAY],
  ])('%s neither asks for keys nor makes those there are stale', async (_way, step) => {
    const before = proxy.keys.requests;
    clock.stepWall(step);
    const token = proxy.token({
      iat: Math.floor(clock.now() / 1000),
      exp: Math.floor((clock.now() + HOUR) / 1000),
    });
    expect((await posts(token)).status).toBe(200);
    expect(proxy.keys.requests).toBe(before);
  });

  it.each([
    ['forward', DAY],
    ['back', -DAY],
  ])('%s neither ends a wait for an upstream early nor draws it out', async (_way, step) => {
    const slow = held();
    proxy.upstream.on('/slow', slow);
    const waiting = proxy.request('GET /slow HTTP/1.1');
    await slow.arrived;
    clock.stepWall(step);
    clock.advance(29_000);
    // One that makes the whole way: had the other been given up, it would be logged.
    await proxy.request('GET /other HTTP/1.1');
    expect(proxy.log.some((line) => line['path'] === '/slow')).toBe(false);
    clock.advance(1_001);
    const got = await waiting;
    expect([got.status, got.json()]).toMatchObject([504, { code: 'UPSTREAM_TIMEOUT' }]);
    slow.release();
  });

  it.each([
    ['forward', DAY],
    ['back', -DAY],
  ])('%s does not change how often a route may be used', async (_way, step) => {
    const ask = async (): Promise<number> => (await proxy.request('GET /seldom HTTP/1.1')).status;
    expect([await ask(), await ask()]).toEqual([200, 429]);
    clock.stepWall(step);
    expect(await ask()).toBe(429);
    clock.advance(HOUR);
    expect(await ask()).toBe(200);
  });

  it('does not make what a request took less than nothing', async () => {
    const slow = held();
    proxy.upstream.on('/slow', slow);
    const waiting = proxy.request('GET /slow HTTP/1.1');
    await slow.arrived;
    clock.stepWall(-DAY);
    clock.advance(5);
    slow.release();
    await waiting;
    expect((await proxy.logged('/slow'))['ms']).toBe(5);
  });
});
