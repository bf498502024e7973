/**
 * `cors: upstream` lets preflights pass unjudged: nothing else may pass with them, nothing of theirs may be signed, and what holds for
 * every request holds for them. Node upgrades GET alone, so there is no other shape of these.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { UPGRADE_LINES } from '../support/attack.ts';
import { bearer, type ProxyUnderTest, startProxy } from '../support/proxy.ts';
import { answer, held } from '../support/upstream-answers.ts';
import { codeIn, useSigningStack } from '../support/use-signing-stack.ts';

const preflight = (method: string): string[] => [
  'Origin: https://evil.example',
  `Access-Control-Request-Method: ${method}`,
];

describe('an upstream that requests are signed for', () => {
  const KEY = { accessKeyId: 'AKIDPROXY', secretAccessKey: 'proxy-secret' };
  // A configuration that `check` refuses.
  const stack = useSigningStack({
    accessKeys: { [KEY.accessKeyId]: KEY.secretAccessKey },
    sign: { credentials: { static: KEY } },
    config: {
      cors: 'upstream',
      routes: [
        {
          id: 'here',
          match: { path: '/here/{p+}' },
          allow: { groups: ['admins'] },
          upstream: 'signed',
          cors: 'upstream',
        },
        { id: 'general', match: { path: '/general/{p+}' }, allow: 'authenticated', upstream: 'signed' },
      ],
    },
  });

  it.each<readonly [string, string, string[], string]>([
    ['a preflight', '/here/x', [], ''],
    ['one by the policy of all', '/general/x', [], ''],
    ['one with a query', '/here/x?Action=DeleteTable', [], ''],
    ['one with a body', '/here/x', [], '{}'],
    ['one with a body in chunks', '/here/x', ['Transfer-Encoding: chunked'], '2\r\n{}\r\n0\r\n\r\n'],
    ['one that would be an upgrade', '/here/x', UPGRADE_LINES, ''],
  ])('is asked for nothing without a token: %s', async (_, target, lines, body) => {
    const { proxy, upstream } = stack();
    const before = upstream.requests.length;
    const got = await proxy.request(`OPTIONS ${target} HTTP/1.1`, [...preflight('DELETE'), ...lines], body);
    expect([got.status, codeIn(got)]).toEqual([401, 'AUTHN_TOKEN_MISSING']);
    expect(upstream.requests).toHaveLength(before);
  });

  it('is asked for whoever the rule allows, as by any other method', async () => {
    const { proxy, upstream, idToken } = stack();
    const admin = bearer(idToken('alice', { 'cognito:groups': ['admins'] }));
    const got = await proxy.request('OPTIONS /here/x HTTP/1.1', [...preflight('PUT'), admin]);
    expect(got.status, got.text).toBe(200);
    expect(upstream.last).toMatchObject({ method: 'OPTIONS', verdict: 'ok', accessKeyId: KEY.accessKeyId });
  });
});

describe('an upstream that answers preflights', () => {
  const ADMINS = { groups: ['admins'] };
  let proxy: ProxyUnderTest;

  beforeAll(async () => {
    proxy = await startProxy({
      server: { limits: { urlBytes: 300, headerCount: 12, headerBytes: 2_000 } },
      upstreams: { busy: { limits: { requests: 1, queue: 0 } } },
      routes: [
        { id: 'get', match: { path: '/passed/{p+}', methods: ['GET'] }, allow: ADMINS, upstream: 'board' },
        {
          id: 'named-get',
          match: { path: '/named/{p+}', methods: ['GET'] },
          allow: 'public',
          upstream: 'board',
        },
        {
          id: 'named-options',
          match: { path: '/named/{p+}', methods: ['OPTIONS'] },
          allow: ADMINS,
          upstream: 'board',
        },
        { id: 'rest', match: { path: '/{p+}', methods: ['GET'] }, allow: 'public', upstream: 'board' },
        { id: 'busy', match: { path: '/busy' }, allow: ADMINS, upstream: 'busy' },
      ],
      cors: 'upstream',
    });
  });
  afterAll(() => proxy.stop());
  beforeEach(() => proxy.upstream.forget());

  it.each<readonly [string, string, string[]]>([
    ['as browsers send them', '/passed/x', preflight('GET')],
    ['with a length of 0', '/passed/x', [...preflight('GET'), 'Content-Length: 0']],
    ['with a query', '/passed/x?a=b', preflight('GET')],
  ])('has them %s', async (_, target, lines) => {
    const got = await proxy.request(`OPTIONS ${target} HTTP/1.1`, lines);
    expect(got.status).toBe(200);
    expect(proxy.upstream.requests.map(({ requestLine, body }) => [requestLine, body.length])).toEqual([
      [`OPTIONS ${target} HTTP/1.1`, 0],
    ]);
  });

  it.each<readonly [string, string, string[], string, string]>([
    ['a body', '/passed/x', [], 'hello', 'ROUTE_METHOD_NOT_ALLOWED'],
    [
      'a body in chunks',
      '/passed/x',
      ['Transfer-Encoding: chunked'],
      '5\r\nhello\r\n0\r\n\r\n',
      'ROUTE_METHOD_NOT_ALLOWED',
    ],
    [
      'no body in chunks',
      '/passed/x',
      ['Transfer-Encoding: chunked'],
      '0\r\n\r\n',
      'ROUTE_METHOD_NOT_ALLOWED',
    ],
    ['a path for which a route names OPTIONS', '/named/x', [], '', 'AUTHN_TOKEN_MISSING'],
    ['a path that may be read as such', '/Named/x', [], '', 'ROUTE_METHOD_NOT_ALLOWED'],
    ['a path that may be served as such', '/named./x', [], '', 'ROUTE_METHOD_NOT_ALLOWED'],
    ['a long target', `/passed/${'x'.repeat(300)}`, [], '', 'LIMIT_URL'],
    ['many headers', '/passed/x', Array.from({ length: 12 }, (_, i) => `A${i}: b`), '', 'LIMIT_HEADER_COUNT'],
    ['long headers', '/passed/x', [`A: ${'b'.repeat(2_000)}`], '', 'LIMIT_HEADERS'],
  ])('has none with %s', async (_, target, lines, body, code) => {
    const got = await proxy.request(`OPTIONS ${target} HTTP/1.1`, [...preflight('GET'), ...lines], body);
    expect(codeIn(got)).toBe(code);
    expect(proxy.upstream.requests).toEqual([]);
  });

  it('has no more of them at once than of other requests', async () => {
    const first = held(answer());
    proxy.upstream.on('/busy', first);
    const ask = () => proxy.request('OPTIONS /busy HTTP/1.1', preflight('GET'));
    const waiting = ask();
    await first.arrived;
    expect(codeIn(await ask())).toBe('LIMIT_UPSTREAM');
    first.release();
    expect((await waiting).status).toBe(200);
  });
});
