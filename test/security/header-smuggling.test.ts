/**
 * Headers that are there twice, or in a spelling that servers read differently, must not carry past the proxy what it
 * judged: duplicate Authorization, aliases by underscore (CVE-2025-64484), bytes beyond ASCII, blanks.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { attack, expectRefusal, onlyRequest, SHAPES, untilIdle } from '../support/attack.ts';
import { bearer, type ProxyUnderTest, startProxy } from '../support/proxy.ts';

let proxy: ProxyUnderTest;

beforeAll(async () => {
  proxy = await startProxy({
    routes: [
      { id: 'open', match: { path: '/public' }, allow: 'public', upstream: 'board' },
      { id: 'members', match: { path: '/members' }, allow: 'authenticated', upstream: 'board' },
    ],
  });
});
afterEach(() => proxy.upstream.forget());
afterAll(async () => {
  await untilIdle(proxy);
  await proxy.stop();
});

describe.each(SHAPES)('as %s', (shape) => {
  it.each([
    ['alike', (token: string) => [bearer(token), bearer(token)]],
    ['one good', (token: string) => ['Authorization: Bearer x', bearer(token)]],
    ['one empty', (token: string) => [bearer(token), 'Authorization:']],
    ['of two schemes', (token: string) => [bearer(token), 'AUTHORIZATION: Basic eDp5']],
  ])('refuses two Authorization headers: %s', async (_, lines) => {
    const outcome = await attack(proxy, shape, '/members', lines(proxy.token()));
    expectRefusal(outcome, 400, 'Bad Request', 'REQUEST_HEADER_DUPLICATE');
    const open = await attack(proxy, shape, '/public', lines(proxy.token()));
    expectRefusal(open, 400, 'Bad Request', 'REQUEST_HEADER_DUPLICATE');
  });

  it.each([
    'Proxy-Authorization',
    'X-Authorization',
    'Authorization_',
    'X_Authorization',
    'HTTP_AUTHORIZATION',
  ])('takes no token from %s', async (name) => {
    const outcome = await attack(proxy, shape, '/members', [`${name}: Bearer ${proxy.token()}`]);
    expectRefusal(outcome, 401, 'Unauthorized', 'AUTHN_TOKEN_MISSING');
  });

  it('drops every name with an underscore', async () => {
    const lines = ['X_A: 1', '_x: 2', 'x_: 3', 'Content_Length: 4', 'Transfer_Encoding: chunked', 'X-B: 5'];
    const request = onlyRequest(await attack(proxy, shape, '/public', lines));
    expect(request.headers.filter(([name]) => name.includes('_'))).toEqual([]);
    expect(request.values('x-b')).toEqual(['5']);
  });

  it('keeps the bytes of a value, its order among others and its repetition', async () => {
    const lines = [
      'X-A: \xe4\xf6\xfc\xff',
      'X-B:\t one  two \t',
      'X-A: 2',
      'Cookie: a=1',
      'Cookie: b=2',
      'X-Empty:',
    ];
    const request = onlyRequest(await attack(proxy, shape, '/public', lines));
    const ours = request.headers.filter(([name]) => /^(x-a|x-b|x-empty|cookie)$/i.test(name));
    expect(ours.map(([name, value]) => [name.toLowerCase(), value])).toEqual(
      shape === 'request'
        ? [
            ['x-a', '\xe4\xf6\xfc\xff'],
            ['x-b', 'one  two'],
            ['x-a', '2'],
            ['cookie', 'a=1'],
            ['cookie', 'b=2'],
            ['x-empty', ''],
          ]
        : [
            // node:http joins them, as RFC 9110 section 5.3 and RFC 6265 section 5.4 allow.
            ['x-a', '\xe4\xf6\xfc\xff, 2'],
            ['x-b', 'one  two'],
            ['cookie', 'a=1; b=2'],
            ['x-empty', ''],
          ],
    );
  });

  it('never passes the token on, however it is spelt', async () => {
    for (const line of [
      bearer(proxy.token()),
      `authorization:\tbearer ${proxy.token()}`,
      `Authorization: ${proxy.token()}`,
    ]) {
      const request = onlyRequest(await attack(proxy, shape, '/members', [line]));
      expect(request.values('authorization')).toEqual([]);
      expect(request.headerLines.join('\n')).not.toContain('eyJ');
      proxy.upstream.forget();
    }
  });

  it('passes the credentials of another scheme on a public route only', async () => {
    const basic = 'Authorization: Basic eDp5';
    const open = onlyRequest(await attack(proxy, shape, '/public', [basic]));
    expect(open.values('authorization')).toEqual(['Basic eDp5']);
    expectRefusal(
      await attack(proxy, shape, '/members', [basic]),
      401,
      'Unauthorized',
      'AUTHN_SCHEME_UNSUPPORTED',
    );
  });

  it.each([
    `bearer ${'a'.repeat(20)}`,
    `BEARER ${'a'.repeat(20)}`,
    `Bearer\t${'a'.repeat(20)}`,
    `Bearer  ${'a'.repeat(20)}`,
    'a'.repeat(40),
  ])('passes no bearer token even where none is looked at: %j', async (value) => {
    const request = onlyRequest(await attack(proxy, shape, '/public', [`Authorization: ${value}`]));
    expect(request.values('authorization')).toEqual([]);
  });
});
