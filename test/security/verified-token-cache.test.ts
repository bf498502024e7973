import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type KeyServer, startKeyServer } from '../support/key-server.ts';
import { bearer, type ProxyUnderTest, startProxy } from '../support/proxy.ts';
import {
  accessClaims,
  makeKey,
  type SigningKey,
  signToken,
  type TokenClaims,
} from '../support/token-factory.ts';

/**
 * A verified token is remembered; what it may do is not. CVE-2026-33496 (Oathkeeper): one pool's token believed on
 * another's routes once it was cached. CVE-2021-32701 (Oathkeeper): the scope check skipped for a cached token.
 * CVE-2026-71326 (Traefik): callers who shared one verification got one verdict.
 */

const CLIENT = '1example23456789';

let keys: KeyServer;
let proxy: ProxyUnderTest;
let keyOf: Readonly<Record<'ours' | 'theirs', SigningKey>>;

const poolId = { ours: 'us-east-1_Ours0001', theirs: 'us-east-1_Theirs02' };

const token = (pool: 'ours' | 'theirs', changes: TokenClaims = {}): string =>
  signToken(keyOf[pool], accessClaims({ issuer: keys.issuer(poolId[pool]), clientId: CLIENT }, changes));

beforeAll(async () => {
  keys = await startKeyServer();
  // One key id in both pools: an id means nothing outside its pool.
  keyOf = { ours: makeKey('same'), theirs: makeKey('same') };
  keys.publish([keyOf.ours], poolId.ours);
  keys.publish([keyOf.theirs], poolId.theirs);
  const pool = (name: 'ours' | 'theirs') => ({
    userPoolId: poolId[name],
    clientIds: [CLIENT],
    issuer: keys.issuer(poolId[name]),
  });
  const route = (id: string, allow: 'authenticated' | object) => ({
    id,
    match: { path: `/${id}` },
    allow,
    upstream: 'board',
  });
  proxy = await startProxy({
    userPools: { ours: pool('ours'), theirs: pool('theirs') },
    routes: [
      route('any', 'authenticated'),
      route('ours', { userPools: 'ours' }),
      route('our-admins', { userPools: 'ours', groups: ['admins'] }),
      route('writers', { groups: ['writers'] }),
      route('scoped', { scopes: ['posts/write'] }),
    ],
  });
});
afterAll(async () => {
  await proxy.stop();
  await keys.stop();
});
beforeEach(() => proxy.upstream.forget());

const ask = async (path: string, credential: string): Promise<string> => {
  const answer = await proxy.request(`GET ${path} HTTP/1.1`, [bearer(credential)]);
  return answer.status === 200 ? 'allowed' : String((answer.json() as { code: string }).code);
};

describe.each(['not cached', 'cached'])('when the token is %s', (state) => {
  it.each<readonly [string, 'ours' | 'theirs', TokenClaims, string, string]>([
    ['their token on our route', 'theirs', {}, '/ours', 'AUTHZ_USER_POOL_MISMATCH'],
    [
      "their admin on our admins' route",
      'theirs',
      { 'cognito:groups': ['admins'] },
      '/our-admins',
      'AUTHZ_USER_POOL_MISMATCH',
    ],
    [
      'a token without the group',
      'ours',
      { 'cognito:groups': ['readers'] },
      '/writers',
      'AUTHZ_GROUP_REQUIRED',
    ],
    ['a token without the scope', 'ours', { scope: 'posts/read' }, '/scoped', 'AUTHZ_SCOPE_REQUIRED'],
  ])('refuses %s', async (_, pool, changes, path, code) => {
    const credential = token(pool, { ...changes, jti: `${state} ${path} ${pool}` });
    if (state === 'cached') expect(await ask('/any', credential)).toBe('allowed');
    proxy.upstream.forget();
    expect(await ask(path, credential)).toBe(code);
    expect(await ask(path, credential)).toBe(code);
    expect(proxy.upstream.requests).toEqual([]);
  });

  it('still lets each in where it belongs', async () => {
    const credential = token('ours', { 'cognito:groups': ['admins', 'writers'], jti: `good ${state}` });
    if (state === 'cached') await ask('/any', credential);
    expect(await ask('/our-admins', credential)).toBe('allowed');
    expect(await ask('/writers', credential)).toBe('allowed');
  });
});

it("does not take one pool's signature for the other's, though the key ids are the same", async () => {
  const claims = accessClaims({ issuer: keys.issuer(poolId.ours), clientId: CLIENT });
  expect(await ask('/ours', signToken(keyOf.ours, claims))).toBe('allowed');
  expect(await ask('/ours', signToken(keyOf.theirs, claims))).toBe('AUTHN_SIGNATURE_INVALID');
});

it('gives callers who wait for one verification a verdict each', async () => {
  // A key that is not known yet makes all of them wait for one fetch.
  const rotated = makeKey('rotated');
  keys.publish([keyOf.ours, rotated], poolId.ours);
  keys.behave('held');
  const before = keys.requests;
  const claims = accessClaims(
    { issuer: keys.issuer(poolId.ours), clientId: CLIENT },
    {
      'cognito:groups': ['writers'],
    },
  );
  const credential = signToken(rotated, claims);
  const verdicts = Promise.all(
    ['/any', '/writers', '/our-admins', '/scoped'].map((path) => ask(path, credential)),
  );
  await keys.requested(before + 1);
  keys.release();
  expect(await verdicts).toEqual(['allowed', 'allowed', 'AUTHZ_GROUP_REQUIRED', 'AUTHZ_SCOPE_REQUIRED']);
  expect(keys.requests).toBe(before + 1);
  keys.behave('good');
});
