import { describe, expect, it } from 'vitest';
import { createAuthenticateStage } from '../../../src/authenticate/authenticate-stage.ts';
import { createFindToken } from '../../../src/authenticate/find-token.ts';
import { createTokenCache } from '../../../src/authenticate/token-cache.ts';
import { createUserPools, type UserPools } from '../../../src/authenticate/user-pools.ts';
import { userPool } from '../../../src/config/schema/pools.ts';
import type { AllowConfig } from '../../../src/config/schema/rules.ts';
import type { TokenSource } from '../../../src/config/schema/server.ts';
import { type Exchange, HANDED_OVER } from '../../../src/core/exchange.ts';
import type { Inbound } from '../../../src/core/inbound.ts';
import type { Refusal } from '../../../src/core/refusal.ts';
import { exchange } from '../../support/exchange.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { recordingLogger } from '../../support/recording-logger.ts';
import { type RouteSketch, route } from '../../support/routes.ts';
import { scriptKeys } from '../../support/scripted-keys.ts';
import { accessClaims, makeKey, signToken } from '../../support/token-factory.ts';

const ISSUER = 'https://issuer.test/pool';
const [key, rotated] = [makeKey('one'), makeKey('two')];

async function openStage(sources: TokenSource[] = ['authorization', { cookie: 'token' }]) {
  const clock = createFakeClock();
  const script = scriptKeys();
  const cache = createTokenCache(100);
  const looks: string[] = [];
  const used: ('hit' | 'miss')[] = [];
  const pools = createUserPools({
    caches: [cache],
    fetch: script.fetch,
    clock,
    logger: recordingLogger([]),
    observer: script.observer,
    dev: false,
  });
  script.serve([key]);
  pools.configure({
    main: userPool.parse({ userPoolId: 'us-east-1_Main0001', clientIds: ['client'], issuer: ISSUER }),
  });
  await script.settled(1);
  const watched: UserPools = {
    ...pools,
    byIssuer(issuer) {
      looks.push(issuer);
      return pools.byIssuer(issuer);
    },
  };
  const stage = createAuthenticateStage({
    findToken: createFindToken(sources),
    pools: watched,
    cache,
    readIdToken: () => undefined,
    clock,
    observer: { tokenCacheUsed: (result) => void used.push(result) },
  });
  const token = (signer = key, lifetime = 3600): string =>
    signToken(
      signer,
      accessClaims({ issuer: ISSUER, clientId: 'client', issuedAt: clock.now() / 1000, lifetime }),
    );
  /** The caller's name, `guest`, or the code of the refusal. */
  const run = async (request: Partial<Inbound>, sketch: Partial<RouteSketch> = {}): Promise<string> => {
    const made: Exchange = exchange(request, route(sketch));
    const verdict = (await stage.run(made)) as Refusal | undefined;
    return verdict === undefined ? (made.principal?.username ?? 'guest') : verdict.code;
  };
  return { clock, script, cache, looks, used, token, run, stage };
}

const bearer = (token: string): Partial<Inbound> => ({ headers: ['authorization', `Bearer ${token}`] });

describe('the authenticate stage', () => {
  it.each<readonly [string, AllowConfig, 'none' | 'good' | 'bad', string]>([
    ['public', 'public', 'none', 'guest'],
    ['public', 'public', 'good', 'guest'],
    ['public', 'public', 'bad', 'guest'],
    ['optional', 'optional', 'none', 'guest'],
    ['optional', 'optional', 'good', 'alice'],
    ['optional', 'optional', 'bad', 'AUTHN_TOKEN_MALFORMED'],
    ['authenticated', 'authenticated', 'none', 'AUTHN_TOKEN_MISSING'],
    ['authenticated', 'authenticated', 'good', 'alice'],
    ['authenticated', 'authenticated', 'bad', 'AUTHN_TOKEN_MALFORMED'],
    ['conditional', { groups: 'writers' }, 'none', 'AUTHN_TOKEN_MISSING'],
    ['conditional', { groups: 'writers' }, 'good', 'alice'],
    ['conditional', { groups: 'writers' }, 'bad', 'AUTHN_TOKEN_MALFORMED'],
  ])('on a route that is %s (%j), with a token that is %s: %s', async (_, allow, which, expected) => {
    const { token, run } = await openStage();
    const request = { none: {}, good: bearer(token()), bad: bearer('x') }[which];
    expect(await run(request, { allow })).toBe(expected);
  });

  it('looks at no token on public routes, not even at two', async () => {
    const { used, run } = await openStage();
    const request = { headers: ['authorization', 'Bearer x', 'cookie', 'token=y'] };
    expect(await run(request, { allow: 'public' })).toBe('guest');
    expect(await run(request)).toBe('AUTHN_TOKEN_DUPLICATE');
    expect(used).toEqual([]);
  });

  it('verifies a token once, and believes it until it expires', async () => {
    const { clock, looks, used, token, run } = await openStage();
    const request = bearer(token(key, 60));
    expect(await run(request)).toBe('alice');
    expect(await run(request)).toBe('alice');
    clock.advance(59_999);
    expect(await run(request)).toBe('alice');
    expect(looks).toHaveLength(1);
    expect(used).toEqual(['miss', 'hit', 'hit']);
    clock.advance(1);
    expect(await run(request)).toBe('AUTHN_TOKEN_EXPIRED');
  });

  it('goes by the wall clock, wherever it is set', async () => {
    const { clock, token, run } = await openStage();
    const request = bearer(token(key, 60));
    expect(await run(request)).toBe('alice');
    clock.stepWall(60_000);
    expect(await run(request)).toBe('AUTHN_TOKEN_EXPIRED');
    clock.stepWall(-30_000);
    expect(await run(request)).toBe('alice');
  });

  it('remembers no token that it refused', async () => {
    const { looks, cache, run, token } = await openStage();
    const forged = `${token().slice(0, -4)}AAAA`;
    expect(await run(bearer(forged))).toBe('AUTHN_SIGNATURE_INVALID');
    expect(await run(bearer(forged))).toBe('AUTHN_SIGNATURE_INVALID');
    expect(looks).toHaveLength(2);
    expect(cache.size).toBe(0);
  });

  it('verifies eight in one turn of the event loop, and those beyond in the next ones', async () => {
    const { run, looks, token, used } = await openStage();
    const tokens = Array.from({ length: 20 }, (_, i) => token(key, 3_600 + i));
    const looked = (): number => looks.length;
    const all = Promise.all(tokens.map((one) => run(bearer(one))));
    expect(looked()).toBe(8);
    await new Promise(setImmediate);
    expect(looked()).toBe(16);
    expect(new Set(await all)).toEqual(new Set(['alice']));
    expect([looked(), used.length]).toEqual([20, 20]);
  });

  it('verifies a token once for all who wait for their turn with it', async () => {
    const { run, looks, token } = await openStage();
    const tokens = Array.from({ length: 8 }, (_, i) => token(key, 3_600 + i));
    const same = token(key, 7_200);
    await Promise.all([...tokens, same, same, same].map((one) => run(bearer(one))));
    expect(looks).toHaveLength(9);
  });

  it('verifies nothing for a client that has left before its turn', async () => {
    const { looks, token, stage } = await openStage();
    for (let i = 0; i < 8; i++) void stage.run(exchange(bearer(token(key, 3_600 + i)), route({})));
    const left = exchange(bearer(token(key, 7_200)), route({}));
    const verdict = stage.run(left);
    left.settled = true;
    expect(await verdict).toBe(HANDED_OVER);
    expect(looks).toHaveLength(8);
  });

  it('verifies a token once for all who bring it while its key is fetched', async () => {
    const { script, looks, used, token, run } = await openStage();
    script.serve([key, rotated]);
    script.hold();
    const request = bearer(token(rotated));
    const waiting = [run(request), run(request), run(request)];
    expect(looks).toHaveLength(1);
    script.release();
    expect(await Promise.all(waiting)).toEqual(['alice', 'alice', 'alice']);
    expect(script.asked).toHaveLength(2);
    expect(used).toEqual(['miss', 'miss', 'miss']);
    expect(await run(request)).toBe('alice');
    expect(used.at(-1)).toBe('hit');
  });

  it('keeps apart tokens that wait for the same key', async () => {
    const { script, token, run } = await openStage();
    script.serve([key, rotated]);
    script.hold();
    const waiting = [run(bearer(token(rotated))), run(bearer(`${token(rotated).slice(0, -4)}AAAA`))];
    script.release();
    expect(await Promise.all(waiting)).toEqual(['alice', 'AUTHN_SIGNATURE_INVALID']);
  });
});

describe('a token in a cookie', () => {
  const OWN = 'https://api.example.com';
  const APP = 'https://app.example.com';
  const withCredentials = { origins: [APP], credentials: true };

  it.each<readonly [string, string, readonly string[], RouteSketch['cors'], boolean]>([
    ['GET', 'without Origin', [], null, true],
    ['HEAD', 'without Origin', [], null, true],
    ['OPTIONS', 'without Origin', [], null, true],
    ['GET', "with another site's Origin", ['origin', 'https://evil.test'], null, true],
    ['POST', 'without Origin', [], null, false],
    ['POST', 'with our own Origin', ['origin', OWN], null, true],
    ['POST', 'with our own Origin in another case', ['origin', OWN.toUpperCase()], null, true],
    ['POST', 'with our own Origin over http', ['origin', 'http://api.example.com'], null, true],
    ['POST', "with another site's Origin", ['origin', 'https://evil.test'], null, false],
    ['POST', 'with a longer Origin', ['origin', `${OWN}.evil.test`], null, false],
    ['POST', 'with an Origin that ends like ours', ['origin', 'https://evil-api.example.com'], null, false],
    ['POST', 'with our Origin at another port', ['origin', `${OWN}:8443`], null, false],
    ['POST', 'with our Origin in another scheme', ['origin', 'app://api.example.com'], null, false],
    ['POST', 'with our host for an Origin', ['origin', 'api.example.com'], null, false],
    ['POST', 'with an Origin of null', ['origin', 'null'], null, false],
    ['POST', 'with an empty Origin', ['origin', ''], null, false],
    ['POST', 'fetched from the same origin', ['sec-fetch-site', 'same-origin'], null, true],
    ['POST', 'fetched from the same site', ['sec-fetch-site', 'same-site'], null, false],
    ['POST', 'fetched from another site', ['sec-fetch-site', 'cross-site'], null, false],
    ['POST', 'fetched by nobody', ['sec-fetch-site', 'none'], null, false],
    [
      'POST',
      "with another site's Origin, fetched from the same origin",
      ['origin', 'https://evil.test', 'sec-fetch-site', 'same-origin'],
      null,
      false,
    ],
    ['PUT', 'with an allowed Origin', ['origin', APP], withCredentials, true],
    ['PUT', 'with an allowed Origin in another case', ['origin', APP.toUpperCase()], withCredentials, true],
    ['PUT', 'with an Origin that is not allowed', ['origin', 'https://evil.test'], withCredentials, false],
    ['PUT', 'with an Origin allowed without credentials', ['origin', APP], { origins: [APP] }, false],
    ['PUT', 'where any Origin is allowed', ['origin', APP], { origins: ['*'] }, false],
    [
      'PUT',
      "with another site's Origin, where the upstream answers for CORS",
      ['origin', APP],
      'upstream',
      false,
    ],
    ['DELETE', 'without Origin', [], null, false],
    ['PATCH', 'without Origin', [], null, false],
    ['PROPFIND', 'without Origin', [], null, false],
    ['get', 'in small letters, which is another method', [], null, false],
  ])('%s %s', async (method, _, headers, cors, expected) => {
    const { token, run } = await openStage();
    const request = { method, headers: ['cookie', `token=${token()}`, ...headers] };
    expect(await run(request, { cors })).toBe(expected ? 'alice' : 'AUTHN_ORIGIN_MISMATCH');
  });

  it.each([
    ["with another site's Origin", ['origin', 'https://evil.test'], 'AUTHN_ORIGIN_MISMATCH'],
    ['without Origin', [], 'AUTHN_ORIGIN_MISMATCH'],
    ['with our own Origin', ['origin', 'https://api.example.com'], 'alice'],
  ])('on a WebSocket %s', async (_, headers, expected) => {
    const { token, run } = await openStage();
    const request = { upgrade: true, headers: ['cookie', `token=${token()}`, ...headers] };
    expect(await run(request)).toBe(expected);
  });

  it('is not asked for its origin when the token was elsewhere', async () => {
    const { token, run } = await openStage();
    const headers = ['authorization', `Bearer ${token()}`, 'origin', 'https://evil.test', 'cookie', 'x=1'];
    expect(await run({ method: 'POST', headers })).toBe('alice');
  });

  it('is refused for its origin before it is verified', async () => {
    const { used, run } = await openStage();
    expect(await run({ method: 'POST', headers: ['cookie', 'token=x'] })).toBe('AUTHN_ORIGIN_MISMATCH');
    expect(used).toEqual([]);
  });
});
