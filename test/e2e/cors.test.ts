import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { headerValues } from '../support/http-message.ts';
import { bearer, type ProxyUnderTest, startProxy } from '../support/proxy.ts';
import type { RawResponse } from '../support/raw-http.ts';
import { answer } from '../support/upstream-answers.ts';

const APP = 'https://app.example.com';
const PARTNER = 'https://partner.example.org';

let proxy: ProxyUnderTest;
beforeAll(async () => {
  proxy = await startProxy({
    cors: {
      origins: [APP],
      methods: ['GET', 'PUT'],
      headers: ['authorization', 'content-type'],
      exposeHeaders: ['x-request-id'],
      credentials: true,
      maxAge: '10m',
    },
    routes: [
      {
        id: 'posts',
        match: { path: '/posts', methods: ['GET', 'PUT'] },
        allow: { groups: 'writers' },
        upstream: 'board',
      },
      {
        id: 'partner',
        match: { path: '/partner' },
        allow: 'authenticated',
        upstream: 'board',
        cors: { origins: [PARTNER] },
      },
      {
        id: 'passed',
        match: { path: '/passed' },
        allow: 'authenticated',
        upstream: 'board',
        cors: 'upstream',
      },
      { id: 'none', match: { path: '/none' }, allow: 'authenticated', upstream: 'board', cors: null },
      { id: 'open', match: { path: '/open' }, allow: 'public', upstream: 'board', cors: { origins: ['*'] } },
    ],
  });
});
afterAll(() => proxy.stop());
beforeEach(() => proxy.upstream.forget());

const preflight = (path: string, method: string, origin: string): Promise<RawResponse> =>
  proxy.request(`OPTIONS ${path} HTTP/1.1`, [
    `Origin: ${origin}`,
    `Access-Control-Request-Method: ${method}`,
  ]);

/** The CORS headers of an answer, and Vary. */
function corsOf(response: RawResponse): Record<string, string> {
  const entries = response.headers
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .filter(([name]) => name.startsWith('access-control-') || name === 'vary');
  expect(new Set(entries.map(([name]) => name)).size).toBe(entries.length);
  return Object.fromEntries(entries);
}

const READABLE = {
  vary: 'Origin',
  'access-control-allow-origin': APP,
  'access-control-allow-credentials': 'true',
  'access-control-expose-headers': 'x-request-id',
};

describe('preflights', () => {
  it('are answered by the proxy, without a token and without the upstream', async () => {
    const response = await preflight('/posts', 'PUT', APP);
    expect(response.status).toBe(204);
    expect(response.text).toBe('');
    expect(corsOf(response)).toEqual({
      ...READABLE,
      'access-control-allow-methods': 'GET, PUT',
      'access-control-allow-headers': 'authorization, content-type',
      'access-control-max-age': '600',
    });
    expect(response.header('x-request-id')).toBeDefined();
    expect(proxy.upstream.connections).toBe(0);
  });

  it('of other origins are told nothing', async () => {
    const response = await preflight('/posts', 'PUT', 'https://evil.test');
    expect(response.status).toBe(204);
    expect(corsOf(response)).toEqual({ vary: 'Origin' });
  });

  it("are answered by the route's own policy where it has one", async () => {
    expect(corsOf(await preflight('/partner', 'POST', PARTNER))).toEqual({
      vary: 'Origin',
      'access-control-allow-origin': PARTNER,
      'access-control-allow-methods': 'GET, HEAD, POST',
      'access-control-max-age': '300',
    });
    expect(corsOf(await preflight('/partner', 'POST', APP))).toEqual({ vary: 'Origin' });
  });

  it('pass to an upstream that answers them, unjudged', async () => {
    proxy.upstream.on('*', answer(204, '', ['Access-Control-Allow-Origin: https://its.own']));
    const response = await preflight('/passed', 'DELETE', 'https://its.own');
    expect(corsOf(response)).toEqual({ 'access-control-allow-origin': 'https://its.own' });
    expect(proxy.upstream.requests.map((request) => request.requestLine)).toEqual([
      'OPTIONS /passed HTTP/1.1',
    ]);
  });

  it.each<readonly [string, string, readonly string[]]>([
    ['the request after it', 'DELETE', [`Origin: ${APP}`]],
    ['OPTIONS without the method it asks about', 'OPTIONS', [`Origin: ${APP}`]],
    ['OPTIONS without Origin', 'OPTIONS', ['Access-Control-Request-Method: DELETE']],
  ])('do not take along %s', async (_, method, lines) => {
    const response = await proxy.request(`${method} /passed HTTP/1.1`, lines);
    expect(response.json()).toMatchObject({ code: 'AUTHN_TOKEN_MISSING' });
    expect(proxy.upstream.requests).toEqual([]);
  });

  it('are requests like any other where the route wants no policy', async () => {
    const response = await preflight('/none', 'GET', APP);
    expect(response.json()).toMatchObject({ code: 'AUTHN_TOKEN_MISSING' });
    expect(corsOf(response)).toEqual({});
  });
});

describe('refusals can be read by scripts', () => {
  it.each<readonly [string, string, string, string]>([
    ['without a token', 'GET', '/posts', 'AUTHN_TOKEN_MISSING'],
    ['of another method', 'DELETE', '/posts', 'ROUTE_METHOD_NOT_ALLOWED'],
    ['of a path without a route', 'GET', '/nowhere', 'ROUTE_NOT_FOUND'],
    ['of an ambiguous path', 'GET', '/a//b', 'REQUEST_PATH_AMBIGUOUS'],
  ])('%s', async (_, method, path, code) => {
    const response = await proxy.request(`${method} ${path} HTTP/1.1`, [`Origin: ${APP}`]);
    expect(response.json()).toMatchObject({ code });
    expect(corsOf(response)).toEqual(READABLE);
  });

  it('of a token, and of the rule', async () => {
    const bad = await proxy.request('GET /posts HTTP/1.1', [`Origin: ${APP}`, bearer('x')]);
    expect(bad.json()).toMatchObject({ code: 'AUTHN_TOKEN_MALFORMED' });
    expect(corsOf(bad)).toEqual(READABLE);
    const forbidden = await proxy.request('GET /posts HTTP/1.1', [`Origin: ${APP}`, bearer(proxy.token())]);
    expect(forbidden.json()).toMatchObject({ code: 'AUTHZ_GROUP_REQUIRED' });
    expect(corsOf(forbidden)).toEqual(READABLE);
  });

  it('but not by those of other origins', async () => {
    const response = await proxy.request('GET /posts HTTP/1.1', ['Origin: https://evil.test']);
    expect(corsOf(response)).toEqual({ vary: 'Origin' });
  });
});

describe("the upstream's answers", () => {
  const theirs = [
    'Access-Control-Allow-Origin: *',
    'Access-Control-Allow-Credentials: true',
    'Vary: Accept-Encoding',
  ];
  const token = (): string => bearer(proxy.token({ 'cognito:groups': ['writers'] }));

  it('carry our policy and not theirs, and vary by both', async () => {
    proxy.upstream.on('*', answer(200, 'ok', theirs));
    const response = await proxy.request('GET /posts HTTP/1.1', [`Origin: ${APP}`, token()]);
    expect(headerValues(response.headers, 'access-control-allow-origin')).toEqual([APP]);
    expect(headerValues(response.headers, 'vary').join(', ').split(', ').toSorted()).toEqual([
      'Accept-Encoding',
      'Origin',
    ]);
  });

  it('vary by origin also for who sends none', async () => {
    const response = await proxy.request('GET /posts HTTP/1.1', [token()]);
    expect(response.text).toBe('ok');
    expect(corsOf(response)).toEqual({ vary: 'Origin' });
  });

  it('are the same for all where any origin is allowed', async () => {
    const response = await proxy.request('GET /open HTTP/1.1', ['Origin: https://anyone.test']);
    expect(corsOf(response)).toEqual({ 'access-control-allow-origin': '*' });
  });

  it('keep their own policy where the upstream answers for it', async () => {
    proxy.upstream.on('*', answer(200, 'ok', theirs));
    const response = await proxy.request('GET /passed HTTP/1.1', [`Origin: ${APP}`, token()]);
    expect(corsOf(response)).toEqual({
      'access-control-allow-origin': '*',
      'access-control-allow-credentials': 'true',
      vary: 'Accept-Encoding',
    });
  });
});
