import { describe, expect, it } from 'vitest';
import { createTokenCache } from '../../../src/authenticate/token-cache.ts';
import { createUserPools, poolPolicies } from '../../../src/authenticate/user-pools.ts';
import { type VerifiedToken, verifyToken } from '../../../src/authenticate/verify-token.ts';
import { type UserPoolConfig, userPool } from '../../../src/config/schema/pools.ts';
import { KeysAbsentError } from '../../../src/core/ports.ts';
import type { Refusal } from '../../../src/core/refusal.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { recordingLogger } from '../../support/recording-logger.ts';
import { scriptKeys } from '../../support/scripted-keys.ts';
import { accessClaims, makeKey, signToken, type TokenClaims } from '../../support/token-factory.ts';

const HOUR = 3_600_000;
const [one, two] = [makeKey('one'), makeKey('two')];
const ISSUER = 'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Main0001';
const UPDATED = ISSUER.replace('https://', 'https://issuer-');
const keysOf = (issuer: string): string => `${issuer}/.well-known/jwks.json`;

const pool = (changes: object = {}): UserPoolConfig =>
  userPool.parse({ userPoolId: 'us-east-1_Main0001', clientIds: ['client'], ...changes });

function openPools() {
  const clock = createFakeClock();
  const script = scriptKeys();
  const cache = createTokenCache(100);
  const pools = createUserPools({
    caches: [cache],
    fetch: script.fetch,
    clock,
    logger: recordingLogger([]),
    observer: script.observer,
    dev: false,
  });
  const token = (changes: TokenClaims = {}, key = one): string => {
    const issuedAt = Math.floor(clock.now() / 1000);
    return signToken(
      key,
      accessClaims({ issuer: ISSUER, clientId: 'client', issuedAt, lifetime: 86_400 * 30 }, changes),
    );
  };
  const verify = async (text: string): Promise<string> => {
    const result: VerifiedToken | Refusal = await verifyToken(text, { pools, now: clock.now });
    if ('code' in result) return result.code;
    cache.set(text, result.principal, result.kid);
    return `${result.principal.pool} by ${result.kid}`;
  };
  return { clock, script, cache, pools, token, verify };
}

/** Pools with one pool, whose first form of issuer has keys. */
async function openMain(changes: object = {}) {
  const opened = openPools();
  opened.script.fail(new KeysAbsentError('the key endpoint answered 403'));
  opened.script.serve([one], keysOf(ISSUER));
  opened.pools.configure({ main: pool(changes) });
  await opened.script.settled(2);
  return opened;
}

describe('user pools', () => {
  it('know nobody before they are configured, and are not ready', () => {
    const { pools } = openPools();
    expect(pools.byIssuer(ISSUER)).toBeUndefined();
    expect(pools.ready()).toBe(false);
    expect(pools.ages()).toEqual(new Map());
  });

  it('fetch the keys of both forms of issuer, and accept tokens of either', async () => {
    const { script, pools, token, verify } = openPools();
    script.serve([one], keysOf(ISSUER));
    script.serve([two], keysOf(UPDATED));
    pools.configure({ main: pool() });
    await script.settled(2);
    expect(script.asked.map(({ url }) => url)).toEqual([keysOf(ISSUER), keysOf(UPDATED)]);
    expect(await verify(token())).toBe('main by one');
    expect(await verify(token({ iss: UPDATED }, two))).toBe('main by two');
    expect(await verify(token({ iss: UPDATED }, one))).toBe('AUTHN_KEY_UNKNOWN');
  });

  it('are ready when one form of issuer has keys, the other being unused', async () => {
    const { pools, token, verify, script } = await openMain();
    expect(script.results.toSorted()).toEqual(['absent', 'success']);
    expect(pools.ready()).toBe(true);
    await pools.whenReady;
    expect(await verify(token())).toBe('main by one');
    expect(await verify(token({ iss: UPDATED }))).toBe('AUTHN_KEY_UNKNOWN');
  });

  it('are ready only when every pool has had keys', async () => {
    const { script, pools, clock } = openPools();
    let told = false;
    void pools.whenReady.then(() => {
      told = true;
    });
    script.serve([one], keysOf(ISSUER));
    const other = 'https://other.test/pool';
    pools.configure({ main: pool(), other: pool({ issuer: other }) });
    await script.settled(3);
    expect(pools.ready()).toBe(false);
    expect(told).toBe(false);
    script.serve([two], keysOf(other));
    clock.advance(1_100);
    await script.settled(5);
    expect(pools.ready()).toBe(true);
    expect(told).toBe(true);
  });

  it('stay ready, whatever becomes of their keys and whichever pools come', async () => {
    const { script, pools, clock } = await openMain();
    script.fail(new Error('down'), keysOf(ISSUER));
    for (let hour = 0; hour < 26; hour++) {
      clock.advance(HOUR);
      await script.settled(script.asked.length);
    }
    expect(pools.ages()).toEqual(new Map());
    expect(pools.ready()).toBe(true);
    pools.configure({ main: pool(), later: pool({ issuer: 'https://unreachable.test' }) });
    await script.settled(script.asked.length);
    expect(pools.ready()).toBe(true);
  });

  it('whose only issuer has no keys any more are a fault, though it had some', async () => {
    const { clock, script, pools, token, verify } = openPools();
    const issuer = 'https://only.test/pool';
    script.serve([one], keysOf(issuer));
    pools.configure({ main: pool({ issuer }) });
    await script.settled(1);
    script.fail(new KeysAbsentError('the key endpoint answered 403'), keysOf(issuer));
    for (let hour = 0; hour < 26; hour++) {
      clock.advance(HOUR);
      await script.settled(script.asked.length);
    }
    expect(await verify(token({ iss: issuer }))).toBe('AUTHN_KEYS_UNAVAILABLE');
  });

  it('fetch one document for both forms where an address is configured', async () => {
    const { script, pools, token, verify } = openPools();
    const url = 'https://vpce.internal/jwks.json';
    script.serve([one], url);
    pools.configure({ main: pool({ keys: { url } }) });
    await script.settled(1);
    expect(script.asked).toEqual([{ url, timeout: 1_500 }]);
    expect(await verify(token())).toBe('main by one');
    expect(await verify(token({ iss: UPDATED }))).toBe('main by one');
  });

  it('read a key set on disk every minute, and never find it stale', async () => {
    const { clock, script, pools, token, verify } = openPools();
    script.serve([one], 'file:///keys.json');
    pools.configure({ main: pool({ keys: { file: '/keys.json' } }) });
    await script.settled(1);
    expect(await verify(token())).toBe('main by one');
    script.serve([two], 'file:///keys.json');
    clock.advance(64_000);
    await script.settled(2);
    expect(await verify(token())).toBe('AUTHN_KEY_UNKNOWN');
    expect(await verify(token({}, two))).toBe('main by two');
    script.fail(new Error('ENOENT'), 'file:///keys.json');
    clock.advance(100 * HOUR);
    expect(await verify(token({}, two))).toBe('main by two');
  });

  it('tell the age of the older keys of a pool', async () => {
    const { clock, pools } = await openMain();
    clock.advance(30_000);
    expect(pools.ages()).toEqual(new Map([['main', 30]]));
  });

  it('tell how often keys are fetched, which may be more often than asked for', () => {
    const { pools } = openPools();
    pools.configure({
      main: pool({ keys: { refresh: '6h' } }),
      brief: pool({ issuer: 'https://brief.test', keys: { refresh: '6h', maxStale: '1h' } }),
      disk: pool({ issuer: 'https://disk.test', keys: { file: '/keys.json' } }),
    });
    expect(pools.refreshes()).toEqual(
      new Map([
        ['main', 21_600],
        ['brief', 1_800],
        ['disk', 60],
      ]),
    );
  });

  it('forget tokens with the key that verified them, within one refresh', async () => {
    const { clock, script, cache, token, verify } = await openMain();
    script.serve([one, two], keysOf(ISSUER));
    const [byOne, byTwo] = [token(), token({}, two)];
    await verify(byOne);
    await verify(byTwo);
    script.serve([two], keysOf(ISSUER));
    clock.advance(1.06 * HOUR);
    await script.settled(script.asked.length);
    expect(cache.get(byOne, clock.now())).toBeUndefined();
    expect(cache.get(byTwo, clock.now())).toBeDefined();
    expect(await verify(byOne)).toBe('AUTHN_KEY_UNKNOWN');
  });

  it('fetch nothing more once they are stopped', async () => {
    const { clock, pools } = await openMain();
    pools.stop();
    expect(clock.waiting).toEqual([]);
  });
});

describe('configuring user pools anew', () => {
  it('changes nothing where nothing changed', async () => {
    const { clock, script, cache, pools, token, verify } = await openMain();
    const text = token();
    await verify(text);
    pools.configure({ main: pool() });
    expect(script.asked).toHaveLength(2);
    expect(cache.get(text, clock.now())).toBeDefined();
  });

  it.each<readonly [string, object, string]>([
    ['clients', { clientIds: ['another'] }, 'AUTHN_CLIENT_MISMATCH'],
    ['kinds of token', { tokenUse: ['id'] }, 'AUTHN_TOKEN_USE_MISMATCH'],
    ['grace', { graceSeconds: 60 }, 'main by one'],
  ])('with other %s keeps the keys and forgets the tokens', async (_, changes, expected) => {
    const { clock, script, cache, pools, token, verify } = await openMain();
    const text = token();
    await verify(text);
    // Were the keys fetched again, there would be none.
    script.fail(new Error('down'), keysOf(ISSUER));
    pools.configure({ main: pool(changes) });
    expect(cache.get(text, clock.now())).toBeUndefined();
    expect(await verify(text)).toBe(expected);
    expect(script.asked).toHaveLength(2);
    // The keys are still refreshed.
    expect(clock.waiting.length).toBeGreaterThan(0);
  });

  it('with another address for keys fetches from there, and forgets what it had', async () => {
    const { clock, script, cache, pools, token, verify } = await openMain();
    const text = token();
    await verify(text);
    const url = 'https://vpce.internal/jwks.json';
    script.serve([two], url);
    pools.configure({ main: pool({ keys: { url } }) });
    expect(cache.get(text, clock.now())).toBeUndefined();
    expect(await verify(text)).toBe('AUTHN_KEY_UNKNOWN');
    expect(await verify(token({}, two))).toBe('main by two');
    clock.advance(1.06 * HOUR);
    expect(script.asked.slice(2).map((asked) => asked.url)).not.toContain(keysOf(ISSUER));
  });

  it('forgets a pool that is gone, and leaves the others alone', async () => {
    const { clock, script, cache, pools, token, verify } = await openMain();
    const issuer = 'https://other.test/pool';
    script.serve([two], keysOf(issuer));
    pools.configure({ main: pool(), other: pool({ issuer }) });
    const [ours, theirs] = [token(), token({ iss: issuer }, two)];
    expect(await verify(ours)).toBe('main by one');
    expect(await verify(theirs)).toBe('other by two');
    pools.configure({ main: pool() });
    expect(cache.get(ours, clock.now())).toBeDefined();
    expect(cache.get(theirs, clock.now())).toBeUndefined();
    expect(await verify(theirs)).toBe('AUTHN_ISSUER_UNKNOWN');
    expect(pools.byIssuer(issuer)).toBeUndefined();
  });

  it('while a token waits for its key, judges it by the settings that hold then', async () => {
    const { clock, script, cache, pools, token, verify } = await openMain();
    script.serve([one, two], keysOf(ISSUER));
    script.hold();
    const text = token({}, two);
    const verdict = verify(text);
    pools.configure({ main: pool({ clientIds: ['another'] }) });
    script.release();
    expect(await verdict).toBe('AUTHN_CLIENT_MISMATCH');
    expect(cache.get(text, clock.now())).toBeUndefined();
  });

  it('while a token waits for its key, refuses it when its pool is gone', async () => {
    const { script, pools, token, verify } = await openMain();
    script.hold();
    const verdict = verify(token({}, two));
    pools.configure({});
    script.release();
    expect(await verdict).toBe('AUTHN_ISSUER_UNKNOWN');
  });
});

describe('poolPolicies', () => {
  it('tells what each issuer accepts', () => {
    const policies = poolPolicies({ main: pool({ clientIds: null, tokenUse: ['id'], graceSeconds: 5 }) });
    expect([...policies.keys()]).toEqual([ISSUER, UPDATED]);
    expect(policies.get(UPDATED)).toEqual({
      name: 'main',
      clientIds: null,
      tokenUse: new Set(['id']),
      graceSeconds: 5,
    });
  });
});
