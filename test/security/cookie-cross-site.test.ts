import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type ProxyUnderTest, startProxy } from '../support/proxy.ts';
import { upgradeEcho } from '../support/upstream-answers.ts';

/**
 * A browser sends cookies along with requests that another site has made it send: cross-site request forgery, and
 * cross-site WebSocket hijacking (CWE-1385). Such a request is refused before the token is looked at.
 */

let proxy: ProxyUnderTest;
beforeAll(async () => {
  proxy = await startProxy({
    routes: [{ id: 'all', match: { path: '/{proxy+}' }, allow: 'authenticated', upstream: 'board' }],
    tokenSources: ['authorization', { cookie: 'token' }],
    cors: { origins: ['https://app.example.com'], credentials: true },
  });
});
afterAll(() => proxy.stop());
beforeEach(() => proxy.upstream.forget());

const upgrade = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

it.each<readonly [string, string, readonly string[]]>([
  ['a form of another site', 'POST', ['Origin: https://evil.test']],
  ['a form in a sandbox', 'POST', ['Origin: null']],
  ['a script of another site', 'DELETE', ['Origin: https://evil.test', 'Sec-Fetch-Site: cross-site']],
  ['a neighbour on the same site', 'PUT', ['Origin: https://www.example.com', 'Sec-Fetch-Site: same-site']],
  ['a client that says nothing', 'POST', []],
  ['a WebSocket of another site', 'GET', [...upgrade, 'Origin: https://evil.test']],
  ['a WebSocket that says nothing', 'GET', upgrade],
])('refuses %s', async (_, method, lines) => {
  const answer = await proxy.request(`${method} /posts HTTP/1.1`, [
    `Cookie: token=${proxy.token()}`,
    ...lines,
  ]);
  expect(answer.status).toBe(403);
  expect(answer.json()).toMatchObject({ message: 'Forbidden', code: 'AUTHN_ORIGIN_MISMATCH' });
  expect(answer.header('www-authenticate')).toBeUndefined();
  expect(proxy.upstream.requests).toEqual([]);
});

it.each<readonly [string, string, readonly string[]]>([
  ['a page of our own', 'POST', ['Origin: http://api.example.com']],
  ['an allowed site', 'POST', ['Origin: https://app.example.com']],
  ['a link anywhere', 'GET', ['Origin: https://evil.test']],
])('lets %s in', async (_, method, lines) => {
  const answer = await proxy.request(`${method} /posts HTTP/1.1`, [
    `Cookie: token=${proxy.token()}`,
    ...lines,
  ]);
  expect(answer.text).toBe('ok');
  expect(proxy.upstream.requests.map((request) => request.values('cookie'))).toEqual([[]]);
});

it('lets a WebSocket of an allowed site in', async () => {
  proxy.upstream.on('*', upgradeEcho());
  const lines = [...upgrade, 'Origin: https://app.example.com', `Cookie: token=${proxy.token()}`];
  expect((await proxy.request('GET /posts HTTP/1.1', lines)).status).toBe(101);
});
