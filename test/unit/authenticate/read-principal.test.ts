import { describe, expect, it } from 'vitest';
import { type PoolPolicy, readPrincipal } from '../../../src/authenticate/read-principal.ts';
import type { Principal } from '../../../src/core/principal.ts';
import type { Refusal } from '../../../src/core/refusal.ts';
import { accessClaims, idClaims, type TokenClaims } from '../../support/token-factory.ts';

const NOW = 1_800_000_000;
const ISSUER = 'https://issuer.test/pool';
const subject = { issuer: ISSUER, clientId: 'client', issuedAt: NOW - 100, lifetime: 3600 };

const policy = (changes: Partial<PoolPolicy> = {}): PoolPolicy => ({
  name: 'main',
  clientIds: new Set(['client', 'other']),
  tokenUse: new Set(['access', 'id']),
  graceSeconds: 0,
  ...changes,
});

const read = (claims: TokenClaims, changes: Partial<PoolPolicy> = {}, now = NOW): Principal | Refusal =>
  readPrincipal(claims, ISSUER, policy(changes), now);
const verdict = (claims: TokenClaims, changes: Partial<PoolPolicy> = {}, now = NOW): string => {
  const result = read(claims, changes, now);
  return 'code' in result ? result.code : 'accepted';
};
const access = (changes: TokenClaims = {}): TokenClaims => accessClaims(subject, changes);
const id = (changes: TokenClaims = {}): TokenClaims => idClaims(subject, changes);

describe('readPrincipal', () => {
  it('reads an access token', () => {
    const claims = access({ 'cognito:groups': ['writers', 'admins'], scope: 'posts/read  posts/write ' });
    expect(read(claims)).toEqual({
      pool: 'main',
      issuer: ISSUER,
      subject: claims['sub'],
      username: 'alice',
      clientId: 'client',
      tokenUse: 'access',
      groups: ['writers', 'admins'],
      scopes: ['posts/read', 'posts/write'],
      expiresAt: NOW + 3500,
      claims,
    });
  });

  it('reads an ID token', () => {
    const claims = id({ 'cognito:groups': undefined });
    expect(read(claims)).toMatchObject({
      username: 'alice',
      clientId: 'client',
      tokenUse: 'id',
      groups: [],
      scopes: [],
      claims,
    });
  });

  it.each<readonly [string, TokenClaims, string]>([
    ['the name of an access token', access({ username: 'a', 'cognito:username': 'b' }), 'a'],
    [
      "the name of an access token where only an ID token's is there",
      access({ username: undefined, 'cognito:username': 'b' }),
      'b',
    ],
    [
      'the name of an ID token, which a trigger cannot set',
      id({ username: 'a', 'cognito:username': 'b' }),
      'b',
    ],
    [
      "the name of an ID token where only an access token's is there",
      id({ username: 'a', 'cognito:username': undefined }),
      'a',
    ],
    ['no name for client credentials', access({ username: undefined }), ''],
    ['no name for null', access({ username: null }), ''],
    ['a name that is not ASCII', access({ username: 'ユーザー' }), 'ユーザー'],
  ])('finds %s', (_, claims, username) => {
    expect(read(claims)).toMatchObject({ username });
  });

  it.each<readonly [string, TokenClaims, Partial<PoolPolicy>, string]>([
    ['an accepted client', access({ client_id: 'other' }), {}, 'accepted'],
    ['another client', access({ client_id: 'stranger' }), {}, 'AUTHN_CLIENT_MISMATCH'],
    ['any client where any is accepted', access({ client_id: 'stranger' }), { clientIds: null }, 'accepted'],
    [
      'no client, even where any is accepted',
      access({ client_id: undefined }),
      { clientIds: null },
      'AUTHN_CLAIMS_INVALID',
    ],
    [
      'an empty client, even where any is accepted',
      access({ client_id: '' }),
      { clientIds: null },
      'AUTHN_CLAIMS_INVALID',
    ],
    [
      'an ID token for any client without an audience',
      id({ aud: undefined }),
      { clientIds: null },
      'AUTHN_CLAIMS_INVALID',
    ],
    [
      'an ID token where access tokens are accepted',
      id(),
      { tokenUse: new Set(['access']) },
      'AUTHN_TOKEN_USE_MISMATCH',
    ],
    [
      'an access token where ID tokens are accepted',
      access(),
      { tokenUse: new Set(['id']) },
      'AUTHN_TOKEN_USE_MISMATCH',
    ],
    ['an ID token where ID tokens are accepted', id(), { tokenUse: new Set(['id']) }, 'accepted'],
    [
      "an access token's client in an ID token",
      id({ aud: 'stranger', client_id: 'client' }),
      {},
      'AUTHN_CLIENT_MISMATCH',
    ],
    [
      "an ID token's audience in an access token",
      access({ client_id: 'stranger', aud: 'client' }),
      {},
      'AUTHN_CLIENT_MISMATCH',
    ],
  ])('judges %s', (_, claims, changes, expected) => {
    expect(verdict(claims, changes)).toBe(expected);
  });

  it.each<readonly [string, TokenClaims, number, string]>([
    ['a second before its end', { exp: NOW + 1 }, 0, 'accepted'],
    ['at its end', { exp: NOW }, 0, 'AUTHN_TOKEN_EXPIRED'],
    ['a second after its end', { exp: NOW - 1 }, 0, 'AUTHN_TOKEN_EXPIRED'],
    ['within the grace after its end', { exp: NOW - 9 }, 10, 'accepted'],
    ['at the end of the grace', { exp: NOW - 10 }, 10, 'AUTHN_TOKEN_EXPIRED'],
    ['at its beginning', { nbf: NOW }, 0, 'accepted'],
    ['a second before its beginning', { nbf: NOW + 1 }, 0, 'AUTHN_TOKEN_NOT_YET_VALID'],
    ['within the grace before its beginning', { nbf: NOW + 10 }, 10, 'accepted'],
    ['before the grace', { nbf: NOW + 11 }, 10, 'AUTHN_TOKEN_NOT_YET_VALID'],
    ['at the last of all dates', { exp: 8_640_000_000_000 }, 0, 'accepted'],
    ['beyond all dates', { exp: 8_640_000_000_001 }, 0, 'AUTHN_CLAIMS_INVALID'],
    ['with an end that is no number', { exp: Number.NaN }, 0, 'AUTHN_CLAIMS_INVALID'],
    ['with an endless end', { exp: Number.POSITIVE_INFINITY }, 0, 'AUTHN_CLAIMS_INVALID'],
  ])('judges a token %s', (_, changes, graceSeconds, expected) => {
    expect(verdict(access(changes), { graceSeconds })).toBe(expected);
  });

  it('lets a principal live as long as its token and the grace', () => {
    expect(read(access({ exp: NOW + 60 }), { graceSeconds: 30 })).toMatchObject({ expiresAt: NOW + 90 });
  });
});
