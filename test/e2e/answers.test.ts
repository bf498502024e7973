/** What a client sees of every kind of answer: status, body and headers, as JSON, as a page, to HEAD and to an upgrade. */
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { untilIdle } from '../support/attack.ts';
import { bearer, type ProxyUnderTest, startProxy } from '../support/proxy.ts';
import { exchangeRaw, openRaw, type RawResponse } from '../support/raw-http.ts';
import { assembleToken, makeKey, rs256, signToken } from '../support/token-factory.ts';
import { answer, raw, reset, silence } from '../support/upstream-answers.ts';

const OTHER_KEY = makeKey('test-key');
const UNKNOWN_KEY = makeKey('other-key');

let proxy: ProxyUnderTest;
/** A port of the loopback that nothing listens on. */
let closedPort: number;

beforeAll(async () => {
  closedPort = await freePort();
  const member = { upstream: 'board' } as const;
  proxy = await startProxy({
    server: {
      limits: { headerBytes: 4_096, urlBytes: 512 },
      timeouts: { headers: '1s', bodyIdle: '1s' },
    },
    tokenSources: ['authorization', { cookie: 'session' }, { query: 'token' }],
    upstreams: {
      down: { url: `http://127.0.0.1:${closedPort}/secret-base` },
      slow: { timeouts: { response: '50ms' } },
    },
    routes: [
      { id: 'open', match: { path: '/public/{path+}' }, allow: 'public', ...member },
      { id: 'items', match: { path: '/items', methods: ['GET', 'POST'] }, allow: 'public', ...member },
      { id: 'small', match: { path: '/small' }, allow: 'public', limits: { bodyBytes: 10 }, ...member },
      { id: 'members', match: { path: '/members' }, allow: 'authenticated', ...member },
      { id: 'optional', match: { path: '/optional' }, allow: 'optional', ...member },
      { id: 'group', match: { path: '/group' }, allow: { groups: ['admins'] }, ...member },
      {
        id: 'scope',
        match: { path: '/scope' },
        allow: { scopes: { allOf: ['posts/read', 'posts/write'] } },
        ...member,
      },
      { id: 'claim', match: { path: '/claim' }, allow: { claims: { email_verified: true } }, ...member },
      { id: 'client', match: { path: '/client' }, allow: { clientIds: ['another'] }, ...member },
      { id: 'use', match: { path: '/use' }, allow: { tokenUse: 'id' }, ...member },
      {
        id: 'either',
        match: { path: '/either' },
        allow: { anyOf: [{ groups: ['a'] }, { groups: ['b'] }] },
        ...member,
      },
      { id: 'pool', match: { path: '/pool' }, allow: { userPools: ['other'] }, ...member },
      { id: 'down', match: { path: '/down' }, allow: 'public', upstream: 'down' },
      { id: 'slow', match: { path: '/slow' }, allow: 'public', upstream: 'slow' },
    ],
  });
  proxy.upstream.on('/public/reset', reset('head'));
  proxy.upstream.on('/public/garbage', raw('SSH-2.0-OpenSSH_9.2\r\n\r\n', 'head'));
  proxy.upstream.on('/slow', silence());
});
afterAll(async () => {
  await untilIdle(proxy);
  await proxy.stop();
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const OWN_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': expect.stringMatching(
    /^default-src 'none';style-src 'sha256-[^']+';base-uri 'none';form-action 'none';frame-ancestors 'none'$/,
  ),
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'origin-agent-cluster': '?1',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-dns-prefetch-control': 'off',
  'x-download-options': 'noopen',
  'x-frame-options': 'SAMEORIGIN',
  'x-permitted-cross-domain-policies': 'none',
  'x-xss-protection': '0',
};

/** Headers of the connection, which depend on how it goes on. */
const OF_THE_CONNECTION = ['connection', 'keep-alive', 'date'];

function headersOf(response: RawResponse): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of response.headers) {
    const lower = name.toLowerCase();
    expect(headers, name).not.toHaveProperty(lower);
    if (!OF_THE_CONNECTION.includes(lower)) headers[lower] = value;
  }
  return headers;
}

/** No address of an upstream, no stack, no token in what a client gets. */
function expectDiscreet(response: RawResponse): void {
  const all = `${response.headers.map((pair) => pair.join(': ')).join('\n')}\n${response.text}`;
  expect(all).not.toMatch(/127\.0\.0\.1|localhost|secret-base|ECONN|node:|\.ts:\d|\n\s+at |eyJ/);
  expect(all).not.toContain(String(proxy.upstream.port));
  expect(all).not.toContain(String(closedPort));
}

interface Case {
  readonly name: string;
  readonly target: string;
  readonly lines?: () => readonly string[];
  readonly status: number;
  readonly message: string;
  readonly code: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const unauthorized = (
  name: string,
  code: string,
  description: string,
  lines: () => readonly string[],
): Case => ({
  name,
  target: '/members',
  lines,
  status: 401,
  message: 'Unauthorized',
  code,
  headers: { 'www-authenticate': `Bearer error="invalid_token", error_description="${description}"` },
});

const forbidden = (target: string, code: string): Case => ({
  name: `a caller who does not meet ${target}`,
  target,
  lines: () => [bearer(proxy.token())],
  status: 403,
  message: 'Forbidden',
  code,
});

const badRequest = (name: string, target: string, code: string, lines: readonly string[] = []): Case => ({
  name,
  target,
  lines: () => lines,
  status: 400,
  message: 'Bad Request',
  code,
});

const CASES: readonly Case[] = [
  {
    name: 'no token',
    target: '/members',
    status: 401,
    message: 'Unauthorized',
    code: 'AUTHN_TOKEN_MISSING',
    headers: { 'www-authenticate': 'Bearer' },
  },
  {
    name: 'a guest where a group is required',
    target: '/group',
    status: 401,
    message: 'Unauthorized',
    code: 'AUTHN_TOKEN_MISSING',
    headers: { 'www-authenticate': 'Bearer' },
  },
  unauthorized('no JWT', 'AUTHN_TOKEN_MALFORMED', 'the token is not a well-formed JWT', () => [bearer('x')]),
  unauthorized('another scheme', 'AUTHN_SCHEME_UNSUPPORTED', 'the authorization scheme is not Bearer', () => [
    'Authorization: Basic eDp5',
  ]),
  unauthorized('no algorithm', 'AUTHN_ALGORITHM_UNSUPPORTED', 'the token is not signed with RS256', () => [
    bearer(assembleToken({ alg: 'none', kid: 'test-key' }, {}, () => Buffer.alloc(256))),
  ]),
  unauthorized(
    'a critical extension',
    'AUTHN_HEADER_UNSUPPORTED',
    'the token header carries an extension that is not supported',
    () => [bearer(assembleToken({ alg: 'RS256', kid: 'test-key', crit: ['x'] }, {}, rs256(OTHER_KEY)))],
  ),
  unauthorized(
    'a foreign issuer',
    'AUTHN_ISSUER_UNKNOWN',
    'the token was issued by an unknown issuer',
    () => [bearer(proxy.token({ iss: 'https://evil.example' }))],
  ),
  unauthorized('a key nobody knows', 'AUTHN_KEY_UNKNOWN', 'the token is signed with an unknown key', () => [
    bearer(signToken(UNKNOWN_KEY, { iss: proxy.issuer })),
  ]),
  unauthorized(
    "another's signature",
    'AUTHN_SIGNATURE_INVALID',
    'the signature of the token is wrong',
    () => [bearer(signToken(OTHER_KEY, { iss: proxy.issuer }))],
  ),
  unauthorized('an expired token', 'AUTHN_TOKEN_EXPIRED', 'the token has expired', () => [
    bearer(proxy.token({ exp: 1_000_000_000 })),
  ]),
  unauthorized('a token of tomorrow', 'AUTHN_TOKEN_NOT_YET_VALID', 'the token is not valid yet', () => [
    bearer(proxy.token({ nbf: 3_000_000_000, exp: 4_000_000_000 })),
  ]),
  unauthorized(
    'a token without its claims',
    'AUTHN_CLAIMS_INVALID',
    'a required claim is missing or has the wrong type',
    () => [bearer(proxy.token({ exp: undefined }))],
  ),
  unauthorized(
    'another kind of token',
    'AUTHN_TOKEN_USE_MISMATCH',
    'this kind of token is not accepted',
    () => [bearer(proxy.token({ token_use: 'id' }))],
  ),
  unauthorized(
    'a token of another client',
    'AUTHN_CLIENT_MISMATCH',
    'the token was issued to a client that is not accepted',
    () => [bearer(proxy.token({ client_id: 'another' }))],
  ),
  {
    ...unauthorized(
      'a bad token of a guest',
      'AUTHN_TOKEN_MALFORMED',
      'the token is not a well-formed JWT',
      () => [bearer('x')],
    ),
    target: '/optional',
  },
  {
    name: 'two tokens',
    target: '/members?token=x',
    lines: () => [bearer(proxy.token())],
    status: 400,
    message: 'Bad Request',
    code: 'AUTHN_TOKEN_DUPLICATE',
    headers: {
      'www-authenticate': 'Bearer error="invalid_request", error_description="more than one token was sent"',
    },
  },
  forbidden('/group', 'AUTHZ_GROUP_REQUIRED'),
  forbidden('/claim', 'AUTHZ_CLAIM_REQUIRED'),
  forbidden('/client', 'AUTHZ_CLIENT_MISMATCH'),
  forbidden('/use', 'AUTHZ_TOKEN_USE_MISMATCH'),
  forbidden('/either', 'AUTHZ_CONDITIONS_NOT_MET'),
  forbidden('/pool', 'AUTHZ_USER_POOL_MISMATCH'),
  {
    ...forbidden('/scope', 'AUTHZ_SCOPE_REQUIRED'),
    headers: {
      'www-authenticate':
        'Bearer error="insufficient_scope", error_description="the token lacks a scope that this route requires", scope="posts/read posts/write"',
    },
  },
  { name: 'no route', target: '/nowhere', status: 404, message: 'Not Found', code: 'ROUTE_NOT_FOUND' },
  badRequest('an ambiguous path', '/public/../members', 'REQUEST_PATH_AMBIGUOUS'),
  badRequest('no path', '*', 'REQUEST_TARGET_INVALID'),
  badRequest('no valid host', '/public/x', 'REQUEST_HOST_INVALID', ['Host: a@b']),
  badRequest('two Authorizations', '/members', 'REQUEST_HEADER_DUPLICATE', [
    'Authorization: a',
    'Authorization: b',
  ]),
  badRequest('unclear framing', '/public/x', 'REQUEST_FRAMING_INVALID', ['Transfer-Encoding: gzip, chunked']),
  {
    name: 'an expectation that cannot be met',
    target: '/public/x',
    lines: () => ['Expect: coffee'],
    status: 417,
    message: 'Expectation Failed',
    code: 'REQUEST_EXPECTATION_FAILED',
  },
  {
    name: 'a target that is too long',
    target: `/public/${'a'.repeat(512)}`,
    status: 414,
    message: 'URI Too Long',
    code: 'LIMIT_URL',
  },
  {
    name: 'headers that are too large',
    target: '/public/x',
    lines: () => [`X-A: ${'a'.repeat(4_096)}`],
    status: 431,
    message: 'Request Header Fields Too Large',
    code: 'LIMIT_HEADERS',
  },
  {
    name: 'an upstream that is down',
    target: '/down',
    status: 502,
    message: 'Bad Gateway',
    code: 'UPSTREAM_CONNECT_FAILED',
  },
  {
    name: 'an upstream that resets',
    target: '/public/reset',
    status: 502,
    message: 'Bad Gateway',
    code: 'UPSTREAM_RESET',
  },
  {
    name: 'an upstream that speaks something else',
    target: '/public/garbage',
    status: 502,
    message: 'Bad Gateway',
    code: 'UPSTREAM_RESPONSE_INVALID',
  },
  {
    name: 'an upstream that is too slow',
    target: '/slow',
    status: 504,
    message: 'Gateway Timeout',
    code: 'UPSTREAM_TIMEOUT',
  },
];

const send = (test: Case, extra: readonly string[] = [], method = 'GET'): Promise<RawResponse> =>
  proxy.request(`${method} ${test.target} HTTP/1.1`, [...(test.lines?.() ?? []), ...extra]);

describe.each(CASES)('$name: $status $code', (test) => {
  it('as JSON', async () => {
    const response = await send(test);
    expect(response.status).toBe(test.status);
    const requestId = response.header('x-request-id');
    expect(response.json()).toEqual({ message: test.message, code: test.code, requestId });
    expect(headersOf(response)).toEqual({
      ...OWN_HEADERS,
      ...test.headers,
      'content-type': 'application/json; charset=utf-8',
      'content-length': String(response.body.length),
      'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expectDiscreet(response);
  });

  it('as a page, for a caller who accepts one', async () => {
    const response = await send(test, ['Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8']);
    expect(response.status).toBe(test.status);
    const requestId = response.header('x-request-id');
    expect(headersOf(response)).toEqual({
      ...OWN_HEADERS,
      ...test.headers,
      'content-type': 'text/html; charset=utf-8',
      'content-length': String(response.body.length),
      'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(response.text).toContain(`<h1>${test.status} ${test.message}</h1>`);
    expect(response.text).toContain(`<dd>${test.code}</dd>`);
    expect(response.text).toContain(`<dd>${requestId}</dd>`);
    expectDiscreet(response);
  });

  it('to HEAD, without a body', async () => {
    const connection = await openRaw(proxy.origin);
    const host = test.lines?.().some((line) => line.startsWith('Host:')) ? [] : ['Host: x'];
    const lines = [...host, ...(test.lines?.() ?? []), 'Connection: close'];
    connection.send(`HEAD ${test.target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
    const response = await connection.head();
    expect((await connection.rest()).length).toBe(0);
    connection.close();
    expect(response.status).toBe(test.status);
    expect(Number(response.header('content-length'))).toBeGreaterThan(0);
    expect(headersOf(response)).toMatchObject({ ...OWN_HEADERS, ...test.headers });
  });

  it('to an upgrade, closing the connection', async () => {
    const response = await send(test, ['Connection: Upgrade', 'Upgrade: websocket']);
    expect(response.status).toBe(test.status);
    expect(response.json()).toMatchObject({ message: test.message, code: test.code });
    expect(headersOf(response)).toMatchObject({ ...OWN_HEADERS, ...test.headers });
    expect(response.header('connection')).toBe('close');
    expectDiscreet(response);
  });

  it('under the request id that was sent, if it is a sane one', async () => {
    const kept = await send(test, ['X-Request-Id: trace-1/a']);
    expect(kept.header('x-request-id')).toBe('trace-1/a');
    expect(kept.json()).toMatchObject({ requestId: 'trace-1/a' });
    const replaced = await send(test, ['X-Request-Id: <script>']);
    expect(replaced.header('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(replaced.text).not.toContain('script');
  });
});

describe('methods', () => {
  it.each([
    ['PUT', 'GET, HEAD, POST'],
    ['DELETE', 'GET, HEAD, POST'],
    ['OPTIONS', 'GET, HEAD, POST'],
    ['PROPFIND', 'GET, HEAD, POST'],
  ])('%s is answered with those that are allowed', async (method, allow) => {
    const response = await proxy.request(`${method} /items HTTP/1.1`);
    expect(response.status).toBe(405);
    expect(response.header('allow')).toBe(allow);
    expect(response.json()).toMatchObject({
      message: 'Method Not Allowed',
      code: 'ROUTE_METHOD_NOT_ALLOWED',
    });
  });

  it('HEAD follows GET', async () => {
    expect((await proxy.request('HEAD /items HTTP/1.1')).status).toBe(200);
    expect(proxy.upstream.requests.at(-1)?.method).toBe('HEAD');
  });

  it('CONNECT is refused', async () => {
    const response = await proxy.request('CONNECT a:443 HTTP/1.1');
    expect([response.status, response.header('connection')]).toEqual([400, 'close']);
    expect(response.json()).toMatchObject({ message: 'Bad Request', code: 'REQUEST_METHOD_UNSUPPORTED' });
  });
});

describe('the connection', () => {
  it.each([
    ['/members', 'keep-alive'],
    ['/nowhere', 'keep-alive'],
    ['/public/../x', 'keep-alive'],
    ['/down', 'keep-alive'],
    ['*', 'close'],
    [`/${'a'.repeat(600)}`, 'close'],
  ])('after a refusal of %s: %s', async (target, connection) => {
    expect((await proxy.request(`GET ${target} HTTP/1.1`)).header('connection')).toBe(connection);
  });

  it('goes on serving after refusals', async () => {
    const connection = await openRaw(proxy.origin);
    for (const [target, status] of [
      ['/members', 401],
      ['/public/x', 200],
      ['/nowhere', 404],
      ['/public/../x', 400],
      ['/down', 502],
      ['/public/y', 200],
    ] as const) {
      connection.send(`GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`);
      expect((await connection.response()).status).toBe(status);
    }
    connection.close();
  });

  it('is closed for HTTP/1.0', async () => {
    const connection = await openRaw(proxy.origin);
    connection.send('GET /members HTTP/1.0\r\nHost: x\r\n\r\n');
    expect((await connection.response()).json()).toMatchObject({ code: 'AUTHN_TOKEN_MISSING' });
    expect((await connection.rest()).length).toBe(0);
    connection.close();
  });
});

describe('an answer of the upstream', () => {
  it("has the upstream's headers and the request id, and none of ours", async () => {
    const lines = [
      'Content-Type: text/plain',
      'X-Frame-Options: DENY',
      'Set-Cookie: a=1',
      'Set-Cookie: b=2',
      'Server: board',
    ];
    proxy.upstream.on('/public/headers', answer(418, 'teapot', lines));
    const response = await proxy.request('GET /public/headers HTTP/1.1', [
      'X-Request-Id: mine',
      'Accept: text/html',
    ]);
    expect(response.status).toBe(418);
    expect(response.text).toBe('teapot');
    const headers = response.headers
      .map(([name, value]) => [name.toLowerCase(), value])
      .filter(([name]) => !OF_THE_CONNECTION.includes(name ?? ''));
    expect(headers).toEqual([
      ['content-length', '6'],
      ['content-type', 'text/plain'],
      ['x-frame-options', 'DENY'],
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
      ['server', 'board'],
      ['x-request-id', 'mine'],
    ]);
  });

  it('cannot give itself another request id', async () => {
    proxy.upstream.on('/public/id', answer(200, 'ok', ['X-Request-Id: theirs', 'x-request-id: theirs too']));
    const response = await proxy.request('GET /public/id HTTP/1.1', ['X-Request-Id: mine']);
    expect(response.header('x-request-id')).toBe('mine');
  });
});

describe('a body', () => {
  const post = (target: string, lines: readonly string[], body = ''): string =>
    [`POST ${target} HTTP/1.1`, 'Host: x', ...lines, '', body].join('\r\n');

  it('that is announced as too large is refused before it comes', async () => {
    const { connections } = proxy.upstream;
    const response = await exchangeRaw(proxy.origin, post('/small', ['Content-Length: 11']));
    expect([response.status, response.header('connection')]).toEqual([413, 'close']);
    expect(response.json()).toMatchObject({ message: 'Request Too Long', code: 'LIMIT_BODY' });
    expect(proxy.upstream.connections).toBe(connections);
  });

  it('that turns out too large is refused as it comes', async () => {
    const requests = proxy.upstream.requests.length;
    const bytes = post('/small', ['Transfer-Encoding: chunked'], 'b\r\n0123456789a\r\n');
    const response = await exchangeRaw(proxy.origin, bytes);
    expect(response.status).toBe(413);
    expect(response.json()).toMatchObject({ message: 'Request Too Long', code: 'LIMIT_BODY' });
    expect(proxy.upstream.requests).toHaveLength(requests);
  });

  it.each([
    ['a length', ['Content-Length: 10'], '0123456789'],
    ['chunks', ['Transfer-Encoding: chunked'], '5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n'],
  ])('as large as may be passes, by %s', async (_, lines, body) => {
    expect((await exchangeRaw(proxy.origin, post('/small', lines, body))).status).toBe(200);
    expect(proxy.upstream.requests.at(-1)?.body.toString()).toBe('0123456789');
  });

  it.each([
    ['no token', '/members', 401],
    ['no route', '/nowhere', 404],
    ['too large', '/small', 413],
    ['an upstream that is down', '/down', 502],
  ])(
    'that is refused leaves the answer to be read by a client that sends all of it first: %s',
    async (_, target, status) => {
      const size = 8_000_000;
      const connection = await openRaw(proxy.origin);
      connection.socket.pause();
      connection.send(post(target, [`Content-Length: ${size}`]));
      const chunk = Buffer.alloc(65_536, 'a');
      for (let sent = 0; sent < size; sent += chunk.length) {
        const part = chunk.subarray(0, Math.min(chunk.length, size - sent));
        if (!connection.socket.write(part))
          await new Promise((resolve) => connection.socket.once('drain', resolve));
      }
      connection.socket.resume();
      expect((await connection.response()).status).toBe(status);
      connection.close();
    },
  );

  it('is asked for only after authorization', async () => {
    const refused = await exchangeRaw(
      proxy.origin,
      post('/members', ['Content-Length: 3', 'Expect: 100-continue']),
    );
    expect([refused.status, refused.interim]).toEqual([401, []]);
    const connection = await openRaw(proxy.origin);
    connection.send(post('/items', ['Content-Length: 3', 'Expect: 100-continue']));
    expect((await connection.head()).status).toBe(100);
    connection.send('abc');
    expect((await connection.response()).status).toBe(200);
    connection.close();
  });

  it('that stops coming is given up', async () => {
    const connection = await openRaw(proxy.origin);
    connection.send(post('/items', ['Content-Length: 100'], 'beginning'));
    const response = await connection.response();
    expect([response.status, response.header('connection')]).toEqual([408, 'close']);
    expect(response.json()).toMatchObject({ message: 'Request Timeout', code: 'REQUEST_TIMEOUT' });
    connection.close();
  });
});

describe("what node's parser refuses", () => {
  const CASES: readonly (readonly [
    name: string,
    bytes: string,
    status: number,
    message: string,
    code: string,
  ])[] = [
    ['no request', 'GARBAGE\r\n\r\n', 400, 'Bad Request', 'REQUEST_MALFORMED'],
    ['a target without end', `GET /${'a'.repeat(100_000)}`, 414, 'URI Too Long', 'LIMIT_URL'],
    [
      'headers without end',
      `GET / HTTP/1.1\r\nHost: x\r\nX-A: ${'a'.repeat(100_000)}`,
      431,
      'Request Header Fields Too Large',
      'LIMIT_HEADERS',
    ],
    [
      'ever more headers',
      `GET / HTTP/1.1\r\nHost: x\r\n${'a:b\r\n'.repeat(50_000)}`,
      431,
      'Request Header Fields Too Large',
      'LIMIT_HEADERS',
    ],
  ];

  it.each(CASES)('%s is answered, and the connection ends', async (_, bytes, status, message, code) => {
    const connection = await openRaw(proxy.origin);
    connection.send(bytes);
    const response = await connection.response();
    expect([response.status, response.reason]).toEqual([status, message]);
    expect(response.json()).toEqual({ message, code, requestId: response.header('x-request-id') });
    expect(headersOf(response)).toEqual({
      ...OWN_HEADERS,
      'content-type': 'application/json; charset=utf-8',
      'content-length': String(response.body.length),
      'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(response.header('connection')).toBe('close');
    expect((await connection.rest()).length).toBe(0);
    connection.close();
  });

  it.each([
    ['a header section that stops coming', 'GET / HTTP/1.1\r\nHost: x\r\nX-A'],
    ['a request line that stops coming', 'GET /'],
    ['nothing at all', ''],
  ])('%s is timed out', async (_, bytes) => {
    const connection = await openRaw(proxy.origin);
    if (bytes !== '') connection.send(bytes);
    const response = await connection.response();
    expect(response.status).toBe(408);
    expect(response.json()).toMatchObject({ message: 'Request Timeout', code: 'REQUEST_TIMEOUT' });
    connection.close();
  });

  it('a header section that comes byte by byte is timed out all the same', async () => {
    const connection = await openRaw(proxy.origin);
    connection.send('GET / HTTP/1.1\r\nX-A: ');
    const drip = setInterval(() => connection.send('a'), 50);
    const response = await connection.response();
    clearInterval(drip);
    expect(response.json()).toMatchObject({ code: 'REQUEST_TIMEOUT' });
    connection.close();
  });
});

describe('too many connections', () => {
  it('are answered and closed, nothing on them is served, and others are once there is room', async () => {
    const small = await startProxy({
      server: { limits: { connections: 3 } },
      routes: [{ id: 'open', match: { path: '/{path+}' }, allow: 'public', upstream: 'board' }],
    });
    const open = await Promise.all([openRaw(small.origin), openRaw(small.origin), openRaw(small.origin)]);
    for (const connection of open) {
      connection.send('GET /x HTTP/1.1\r\nHost: x\r\n\r\n');
      expect((await connection.response()).status).toBe(200);
    }
    for (let i = 0; i < 3; i++) {
      const refused = await openRaw(small.origin);
      refused.send('GET /over HTTP/1.1\r\nHost: x\r\n\r\n');
      const response = await refused.response();
      expect([response.status, response.reason, response.header('retry-after')]).toEqual([
        503,
        'Service Unavailable',
        '1',
      ]);
      expect(response.json()).toEqual({
        message: 'Service Unavailable',
        code: 'LIMIT_CONNECTIONS',
        requestId: response.header('x-request-id'),
      });
      expect((await refused.rest()).length).toBe(0);
      refused.close();
    }
    for (const connection of open) {
      connection.send('GET /still HTTP/1.1\r\nHost: x\r\n\r\n');
      expect((await connection.response()).status).toBe(200);
    }
    expect(small.upstream.requests.map(({ target }) => target)).not.toContain('/over');
    expect(await small.metrics()).toContain(
      'cognito_auth_proxy_decisions_total{route="none",decision="deny",code="LIMIT_CONNECTIONS"} 3',
    );
    open[0]?.close();
    while ((await small.request('GET /again HTTP/1.1')).status !== 200);
    for (const connection of open) connection.close();
    await small.stop();
  });
});

describe('keys that cannot be had', () => {
  it('are 503 with the time to wait, never 401 and never 200', async () => {
    const keyless = await startProxy(
      { routes: [{ id: 'members', match: { path: '/' }, allow: 'authenticated', upstream: 'board' }] },
      { awaitReady: false, prepareKeys: (keys) => keys.behave('error') },
    );
    for (const lines of [[], ['Connection: Upgrade', 'Upgrade: websocket']]) {
      const response = await keyless.request('GET / HTTP/1.1', [bearer(keyless.token()), ...lines]);
      expect([response.status, response.header('retry-after')]).toEqual([503, '5']);
      expect(response.header('www-authenticate')).toBeUndefined();
      expect(response.json()).toMatchObject({
        message: 'Service Unavailable',
        code: 'AUTHN_KEYS_UNAVAILABLE',
      });
    }
    expect(keyless.upstream.connections).toBe(0);
    await keyless.stop();
  });
});

describe('a cookie from another site', () => {
  it.each([
    ['POST', ['Origin: https://evil.example']],
    ['DELETE', []],
    ['PUT', ['Origin: null']],
  ])('does not authenticate %s %j', async (method, lines) => {
    const response = await proxy.request(`${method} /members HTTP/1.1`, [
      `Cookie: session=${proxy.token()}`,
      ...lines,
    ]);
    expect(response.status).toBe(403);
    expect(response.json()).toMatchObject({ message: 'Forbidden', code: 'AUTHN_ORIGIN_MISMATCH' });
    expect(response.header('www-authenticate')).toBeUndefined();
  });
});
