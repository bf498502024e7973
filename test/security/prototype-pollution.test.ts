/**
 * Names that mean something to JavaScript are names like any other: CVE-2026-21710 (Node crashed on a header called
 * `__proto__`).
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { attack, onlyRequest, SHAPES, untilIdle } from '../support/attack.ts';
import { bearer, type ProxyUnderTest, startProxy } from '../support/proxy.ts';

let proxy: ProxyUnderTest;

beforeAll(async () => {
  proxy = await startProxy({
    tokenSources: ['authorization', { cookie: 'session' }, { query: 'token' }, { header: 'x-token' }],
    routes: [
      { id: 'open', match: { path: '/public/{path+}' }, allow: 'public', upstream: 'board' },
      {
        id: 'own',
        match: { path: '/users/{username}' },
        allow: { claims: { username: '{username}' } },
        upstream: 'board',
      },
      {
        id: 'missing',
        match: { path: '/missing' },
        allow: { claims: { __proto__x: { present: true } } },
        upstream: 'board',
      },
      {
        id: 'inherited',
        match: { path: '/inherited' },
        allow: { claims: { toString: { present: true } } },
        upstream: 'board',
      },
    ],
  });
});
afterEach(() => proxy.upstream.forget());
afterAll(async () => {
  await untilIdle(proxy);
  await proxy.stop();
});

const NAMES = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'valueOf',
  '__defineGetter__',
];

describe.each(SHAPES)('as %s', (shape) => {
  it.each(NAMES)('a header called %s does no harm', async (name) => {
    const outcome = await attack(proxy, shape, '/public/x', [
      `${name}: 1`,
      `${name}: {"polluted":1}`,
      `Connection: ${name}`,
    ]);
    expect(outcome.response.status).toBe(200);
    expect(onlyRequest(outcome).values(name)).toEqual([]);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it.each(NAMES)('a path segment, a query, a cookie called %s does no harm', async (name) => {
    const target = `/public/${name}?${name}=1&${name}[polluted]=1`;
    const outcome = await attack(proxy, shape, target, [`Cookie: ${name}=1; session_=2`]);
    expect(onlyRequest(outcome).target).toBe(target);
    expect(onlyRequest(outcome).values('cookie')).toEqual([`${name}=1; session_=2`]);
  });

  it.each(NAMES)('a path parameter %s is compared as text', async (name) => {
    const others = await attack(proxy, shape, `/users/${name}`, [bearer(proxy.token())]);
    expect(others.response.status).toBe(403);
    expect(others.reached).toEqual([]);
    const own = await attack(proxy, shape, `/users/${name}`, [bearer(proxy.token({ username: name }))]);
    expect(onlyRequest(own).values('x-cognito-username')).toEqual([name]);
  });

  it.each(['/missing', '/inherited'])('a claim that objects inherit is not there: %s', async (target) => {
    const outcome = await attack(proxy, shape, target, [bearer(proxy.token())]);
    expect(outcome.response.json()).toMatchObject({ message: 'Forbidden', code: 'AUTHZ_CLAIM_REQUIRED' });
    expect(outcome.reached).toEqual([]);
  });
});

it.each(NAMES)('a host called %s is a host without routes of its own', async (name) => {
  const outcome = await attack(proxy, 'request', '/nowhere', [`Host: ${name}`]);
  expect(outcome.response.json()).toMatchObject({ message: 'Not Found', code: 'ROUTE_NOT_FOUND' });
});
