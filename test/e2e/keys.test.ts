import { describe, expect, it, onTestFinished } from 'vitest';
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts';
import { bearer, CLIENT_ID, type ProxyOptions, type ProxyUnderTest, startProxy } from '../support/proxy.ts';
import { accessClaims, makeKey, type SigningKey, signToken } from '../support/token-factory.ts';

const HOUR = 3_600_000;
const rotated = makeKey('rotated');

/** A proxy whose timers only the test moves; fetches themselves take the time they take. */
async function start(options: ProxyOptions = {}): Promise<{ proxy: ProxyUnderTest; clock: FakeClock }> {
  const clock = createFakeClock(Date.now());
  const proxy = await startProxy(
    {
      routes: [
        { id: 'public', match: { path: '/public' }, allow: 'public', upstream: 'board' },
        { id: 'posts', match: { path: '/posts' }, allow: 'authenticated', upstream: 'board' },
      ],
    },
    { clock, ...options },
  );
  onTestFinished(async () => {
    const stopped = proxy.stop();
    clock.advance(60_000);
    await stopped;
  });
  return { proxy, clock };
}

/** The answer's status, and the code of a refusal. */
async function ask(proxy: ProxyUnderTest, path: string, token?: string): Promise<string> {
  const answer = await proxy.request(`GET ${path} HTTP/1.1`, token === undefined ? [] : [bearer(token)]);
  return answer.status === 200 ? '200' : `${answer.status} ${(answer.json() as { code: string }).code}`;
}

/** A token that outlives the refreshes of a test. */
function signedBy(proxy: ProxyUnderTest, key: SigningKey): string {
  return signToken(key, accessClaims({ issuer: proxy.issuer, clientId: CLIENT_ID, lifetime: 86_400 }));
}

const readiness = async (proxy: ProxyUnderTest): Promise<number> =>
  (await fetch(`${proxy.admin}/readyz`)).status;

/** Asks until the answer is this one: until what was fetched has been taken over. */
async function untilAnswer(expected: string, asking: () => Promise<string>): Promise<void> {
  while ((await asking()) !== expected);
}

async function recovers(proxy: ProxyUnderTest, clock: FakeClock): Promise<void> {
  const before = proxy.keys.requests;
  clock.advance(1_100);
  await proxy.keys.requested(before + 1);
  await untilAnswer('200', async () => String(await readiness(proxy)));
  expect(await ask(proxy, '/posts', proxy.token())).toBe('200');
}

describe('when the key endpoint is down at start', () => {
  it('lives, is not ready, serves public routes, answers 503 on others, and recovers alone', async () => {
    const { proxy, clock } = await start({ awaitReady: false, prepareKeys: (keys) => keys.down() });
    expect((await fetch(`${proxy.admin}/livez`)).status).toBe(200);
    expect(await readiness(proxy)).toBe(503);
    expect(await ask(proxy, '/public')).toBe('200');
    const answer = await proxy.request('GET /posts HTTP/1.1', [bearer(proxy.token())]);
    expect(answer.status).toBe(503);
    expect(answer.header('retry-after')).toBe('5');
    expect(answer.header('www-authenticate')).toBeUndefined();
    expect(answer.json()).toMatchObject({ message: 'Service Unavailable', code: 'AUTHN_KEYS_UNAVAILABLE' });
    // What can be refused without a key is refused as ever.
    expect(await ask(proxy, '/posts')).toBe('401 AUTHN_TOKEN_MISSING');
    expect(await ask(proxy, '/posts', 'x')).toBe('401 AUTHN_TOKEN_MALFORMED');
    expect(proxy.upstream.requests.map((request) => request.target)).toEqual(['/public']);
    await proxy.keys.up();
    await recovers(proxy, clock);
  });

  it.each(['garbage', 'error', 'forbidden', 'redirect', 'reset', 'huge'] as const)(
    'does the same when its answer is %s',
    async (mood) => {
      const { proxy, clock } = await start({ awaitReady: false, prepareKeys: (keys) => keys.behave(mood) });
      expect(await ask(proxy, '/posts', proxy.token())).toBe('503 AUTHN_KEYS_UNAVAILABLE');
      expect(await readiness(proxy)).toBe(503);
      expect(proxy.keys.requests).toBe(1);
      proxy.keys.behave('good');
      await recovers(proxy, clock);
    },
  );

  it.each(['drip', 'held'] as const)('answers 503 after the timeout when its answer is %s', async (mood) => {
    const { proxy } = await start({ awaitReady: false, prepareKeys: (keys) => keys.behave(mood) });
    expect(await ask(proxy, '/posts', proxy.token())).toBe('503 AUTHN_KEYS_UNAVAILABLE');
    expect(await ask(proxy, '/public')).toBe('200');
  });
});

describe('when the key endpoint fails later', () => {
  it('goes on with the keys there are, and stays ready', async () => {
    const { proxy } = await start();
    expect(await ask(proxy, '/posts', proxy.token())).toBe('200');
    await proxy.keys.down();
    expect(await ask(proxy, '/posts', proxy.token({ jti: 'not seen before' }))).toBe('200');
    // Whether there is such a key cannot be known now: 503, and not 401.
    expect(await ask(proxy, '/posts', signedBy(proxy, rotated))).toBe('503 AUTHN_KEYS_UNAVAILABLE');
    expect(await ask(proxy, '/posts', proxy.token({ jti: 'nor this one' }))).toBe('200');
    expect(await readiness(proxy)).toBe(200);
  });

  it.each(['garbage', 'error', 'forbidden', 'redirect', 'reset', 'huge', 'drip'] as const)(
    'never puts what is %s in the place of good keys',
    async (mood) => {
      const { proxy } = await start();
      proxy.keys.behave(mood);
      expect(await ask(proxy, '/posts', signedBy(proxy, rotated))).toBe('503 AUTHN_KEYS_UNAVAILABLE');
      expect(await ask(proxy, '/posts', proxy.token())).toBe('200');
      expect(proxy.keys.paths.filter((path) => path.startsWith('/moved'))).toEqual([]);
    },
  );
});

describe('when keys change', () => {
  it('accepts tokens by a new key at once, with one fetch for all', async () => {
    const { proxy } = await start();
    const before = proxy.keys.requests;
    proxy.keys.publish([proxy.key, rotated]);
    const asked = Array.from({ length: 20 }, () => ask(proxy, '/posts', signedBy(proxy, rotated)));
    expect(new Set(await Promise.all(asked))).toEqual(new Set(['200']));
    expect(proxy.keys.requests).toBe(before + 1);
    expect(await ask(proxy, '/posts', proxy.token())).toBe('200');
  });

  it('refuses tokens by a removed key within one refresh, those it has believed included', async () => {
    const { proxy, clock } = await start();
    const token = signedBy(proxy, proxy.key);
    expect(await ask(proxy, '/posts', token)).toBe('200');
    proxy.keys.publish([rotated]);
    expect(await ask(proxy, '/posts', token)).toBe('200');
    const before = proxy.keys.requests;
    clock.advance(1.06 * HOUR);
    await proxy.keys.requested(before + 1);
    await untilAnswer('401 AUTHN_KEY_UNKNOWN', () => ask(proxy, '/posts', token));
    expect(await ask(proxy, '/posts', signedBy(proxy, rotated))).toBe('200');
  });

  it('refuses tokens by a key that was changed under its name, those it has believed included', async () => {
    const { proxy, clock } = await start();
    const token = signedBy(proxy, proxy.key);
    expect(await ask(proxy, '/posts', token)).toBe('200');
    const changed = makeKey(proxy.key.kid);
    proxy.keys.publish([changed]);
    clock.advance(1.06 * HOUR);
    await untilAnswer('401 AUTHN_SIGNATURE_INVALID', () => ask(proxy, '/posts', token));
    expect(await ask(proxy, '/posts', signedBy(proxy, changed))).toBe('200');
  });

  it('asks once for keys that somebody invents, and still hears of a genuine rotation', async () => {
    const { proxy, clock } = await start();
    const before = proxy.keys.requests;
    const flood = async (): Promise<void> => {
      const invented = Array.from({ length: 30 }, (_, i) => ({ ...rotated, kid: `${clock.now()} ${i}` }));
      const answers = await Promise.all(invented.map((key) => ask(proxy, '/posts', signedBy(proxy, key))));
      expect(new Set(answers)).toEqual(new Set(['401 AUTHN_KEY_UNKNOWN']));
    };
    await flood();
    expect(proxy.keys.requests).toBe(before + 1);
    clock.advance(4_000);
    proxy.keys.publish([proxy.key, rotated]);
    await flood();
    expect(proxy.keys.requests).toBe(before + 1);
    clock.advance(1_000);
    await flood();
    expect(proxy.keys.requests).toBe(before + 2);
    expect(await ask(proxy, '/posts', signedBy(proxy, rotated))).toBe('200');
    expect(proxy.keys.requests).toBe(before + 2);
  });

  it('reports each fetch and the age of the keys', async () => {
    const { proxy, clock } = await start();
    clock.advance(90_000);
    proxy.keys.behave('forbidden');
    await ask(proxy, '/posts', signedBy(proxy, rotated));
    const metrics = await proxy.metrics();
    expect(metrics).toContain('cognito_auth_proxy_jwks_fetch_total{pool="main",result="success"} 1');
    expect(metrics).toContain('cognito_auth_proxy_jwks_fetch_total{pool="main",result="absent"} 1');
    expect(metrics).toContain('cognito_auth_proxy_jwks_age_seconds{pool="main"} 90');
  });
});
