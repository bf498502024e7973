import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ERRORS, type ErrorCode } from '../../src/core/errors.ts';
import { bearer, CLIENT_ID, POOL_ID, type ProxyUnderTest, startProxy } from '../support/proxy.ts';
import { idClaims, signToken, type TokenClaims } from '../support/token-factory.ts';

let proxy: ProxyUnderTest;
beforeAll(async () => {
  const routes = [
    { id: 'groups', match: { path: '/groups' }, allow: { groups: ['writers', 'admins'] } },
    { id: 'any-scope', match: { path: '/any-scope' }, allow: { scopes: ['posts/read', 'posts/write'] } },
    {
      id: 'all-scopes',
      match: { path: '/all-scopes' },
      allow: { scopes: { allOf: ['posts/read', 'posts/write'] } },
    },
    { id: 'no-scope', match: { path: '/no-scope' }, allow: { scopes: { noneOf: ['posts/read'] } } },
    { id: 'claim', match: { path: '/claim' }, allow: { claims: { 'custom:tier': 'gold' } } },
    { id: 'pool', match: { path: '/pool' }, allow: { userPools: 'other' } },
    { id: 'client', match: { path: '/client' }, allow: { clientIds: 'another' } },
    { id: 'use', match: { path: '/use' }, allow: { tokenUse: 'id' as const } },
    {
      id: 'either',
      match: { path: '/either' },
      allow: { anyOf: [{ groups: 'admins' }, { groups: 'owners' }] },
    },
    { id: 'profile', match: { path: '/users/{name}/profile' }, allow: { claims: { username: '{name}' } } },
    { id: 'read', match: { path: '/posts', methods: ['GET'] }, allow: 'optional' as const },
    { id: 'write', match: { path: '/posts', methods: ['POST'] }, allow: 'authenticated' as const },
    { id: 'rest', match: { path: '/{proxy+}', methods: ['DELETE'] }, allow: 'public' as const },
  ];
  proxy = await startProxy({ routes: routes.map((route) => ({ ...route, upstream: 'board' })) });
});
afterAll(() => proxy.stop());
beforeEach(() => proxy.upstream.forget());

describe('a caller who does not meet the rule', () => {
  it.each<readonly [string, TokenClaims, ErrorCode, string | undefined]>([
    ['/groups', {}, 'AUTHZ_GROUP_REQUIRED', undefined],
    ['/groups', { 'cognito:groups': ['readers'] }, 'AUTHZ_GROUP_REQUIRED', undefined],
    ['/any-scope', { scope: 'email' }, 'AUTHZ_SCOPE_REQUIRED', 'posts/read posts/write'],
    ['/all-scopes', { scope: 'email' }, 'AUTHZ_SCOPE_REQUIRED', 'posts/read posts/write'],
    ['/all-scopes', { scope: 'posts/read' }, 'AUTHZ_SCOPE_REQUIRED', 'posts/write'],
    ['/no-scope', { scope: 'posts/read' }, 'AUTHZ_SCOPE_REQUIRED', ''],
    ['/claim', { 'custom:tier': 'silver' }, 'AUTHZ_CLAIM_REQUIRED', undefined],
    ['/pool', {}, 'AUTHZ_USER_POOL_MISMATCH', undefined],
    ['/client', {}, 'AUTHZ_CLIENT_MISMATCH', undefined],
    ['/use', {}, 'AUTHZ_TOKEN_USE_MISMATCH', undefined],
    ['/either', { 'cognito:groups': ['writers'] }, 'AUTHZ_CONDITIONS_NOT_MET', undefined],
    ['/users/bob/profile', {}, 'AUTHZ_CLAIM_REQUIRED', undefined],
    ['/users/%C3%A4lice/profile', {}, 'AUTHZ_CLAIM_REQUIRED', undefined],
  ])('on %s with %j gets 403 %s', async (path, claims, code, scope) => {
    const answer = await proxy.request(`GET ${path} HTTP/1.1`, [bearer(proxy.token(claims))]);
    expect(answer.status).toBe(403);
    expect(answer.json()).toEqual({ message: 'Forbidden', code, requestId: answer.header('x-request-id') });
    const challenge = `Bearer error="insufficient_scope", error_description="${ERRORS[code].description}"`;
    expect(answer.header('www-authenticate')).toBe(
      scope === undefined ? undefined : scope === '' ? challenge : `${challenge}, scope="${scope}"`,
    );
    expect(proxy.upstream.requests).toEqual([]);
  });

  it('is not asked who they are by a path that some software reads as their own', async () => {
    const answer = await proxy.request('GET /users/alice%20/profile HTTP/1.1', [bearer(proxy.token())]);
    expect([answer.status, answer.json()]).toEqual([
      400,
      expect.objectContaining({ code: 'REQUEST_PATH_AMBIGUOUS' }),
    ]);
    expect(proxy.upstream.requests).toEqual([]);
  });

  it('is told nothing of the rule, and the log everything', async () => {
    const answer = await proxy.request('GET /groups HTTP/1.1', [bearer(proxy.token())]);
    expect(answer.text).not.toContain('writers');
    expect(JSON.stringify(answer.headers)).not.toContain('writers');
    const { requestId } = answer.json() as { requestId: string };
    expect(proxy.log.find((line) => JSON.stringify(line).includes(requestId))).toMatchObject({
      condition: 'groups anyOf [writers, admins]',
    });
  });
});

it.each<readonly [string, TokenClaims]>([
  ['/groups', { 'cognito:groups': ['readers', 'writers'] }],
  ['/any-scope', { scope: 'email posts/write' }],
  ['/all-scopes', { scope: 'posts/write posts/read' }],
  ['/no-scope', { scope: 'email' }],
  ['/claim', { 'custom:tier': 'gold' }],
  ['/either', { 'cognito:groups': ['owners'] }],
  ['/users/alice/profile', {}],
  ['/users/%E3%83%A6%E3%83%BC%E3%82%B6%E3%83%BC/profile', { username: 'ユーザー' }],
])('lets in on %s with %j', async (path, claims) => {
  const answer = await proxy.request(`GET ${path} HTTP/1.1`, [bearer(proxy.token(claims))]);
  expect(answer.text).toBe('ok');
  expect(proxy.upstream.requests.map((request) => request.target)).toEqual([path]);
});

describe('methods', () => {
  it('that the path does not allow are 405 with those that it does, never another route', async () => {
    const answer = await proxy.request('DELETE /posts HTTP/1.1');
    expect(answer.status).toBe(405);
    expect(answer.header('allow')).toBe('GET, HEAD, POST');
    expect(answer.json()).toMatchObject({ message: 'Method Not Allowed', code: 'ROUTE_METHOD_NOT_ALLOWED' });
    expect(proxy.upstream.requests).toEqual([]);
    expect((await proxy.request('DELETE /elsewhere HTTP/1.1')).status).toBe(200);
  });

  it('HEAD follows GET, rule and all', async () => {
    expect((await proxy.request('HEAD /posts HTTP/1.1')).status).toBe(200);
    expect((await proxy.request('HEAD /groups HTTP/1.1')).status).toBe(401);
  });
});

it('on an optional route a guest has no name, and a caller has one', async () => {
  await proxy.request('GET /posts HTTP/1.1', ['X-Cognito-Username: mallory']);
  await proxy.request('GET /posts HTTP/1.1', [bearer(proxy.token())]);
  expect(proxy.upstream.requests.map((request) => request.values('x-cognito-username'))).toEqual([
    [],
    ['alice'],
  ]);
  const bad = await proxy.request('GET /posts HTTP/1.1', [bearer(`${proxy.token()}x`)]);
  expect(bad.status).toBe(401);
});

it('takes ID tokens where the pool does, and calls the user by the same name', async () => {
  await proxy.reload({
    userPools: {
      main: { userPoolId: POOL_ID, clientIds: [CLIENT_ID], issuer: proxy.issuer, tokenUse: ['access', 'id'] },
    },
    routes: [{ id: 'use', match: { path: '/use' }, allow: { tokenUse: 'id' }, upstream: 'board' }],
  });
  const token = signToken(proxy.key, idClaims({ issuer: proxy.issuer, clientId: CLIENT_ID }));
  expect((await proxy.request('GET /use HTTP/1.1', [bearer(token)])).text).toBe('ok');
  expect(proxy.upstream.requests[0]?.values('x-cognito-username')).toEqual(['alice']);
  const access = await proxy.request('GET /use HTTP/1.1', [bearer(proxy.token())]);
  expect(access.json()).toMatchObject({ code: 'AUTHZ_TOKEN_USE_MISMATCH' });
});
