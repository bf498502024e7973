import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { OPEN_ROUTE } from '../support/open-route.ts';
import { bearer, type ProxyUnderTest, startProxy } from '../support/proxy.ts';
import { openRaw } from '../support/raw-http.ts';
import { refusingOrigin } from '../support/refusing-origin.ts';
import { settleDown } from '../support/settle-down.ts';
import { afterInterim, answer, chunk, closeAfter, raw, script } from '../support/upstream-answers.ts';

let proxy: ProxyUnderTest;

beforeAll(async () => {
  proxy = await startProxy({
    upstreams: { dead: { url: await refusingOrigin() } },
    routes: [
      OPEN_ROUTE,
      { ...OPEN_ROUTE, id: 'members', match: { path: '/members/{path+}' }, allow: { groups: ['members'] } },
      { ...OPEN_ROUTE, id: 'small', match: { path: '/small/{path+}' }, limits: { bodyBytes: 10 } },
      { ...OPEN_ROUTE, id: 'dead', match: { path: '/dead/{path+}' }, upstream: 'dead' },
    ],
  });
});
afterAll(() => proxy.stop());
beforeEach(() => proxy.upstream.forget());

const get = (path: string, version = '1.1') => proxy.request(`GET ${path} HTTP/${version}`);

describe('interim answers', () => {
  const HINT = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload; as=style';
  const TWO_HINTS = `${HINT}\r\nLink: </b.js>; rel=preload`;

  it.each([
    ['one', [HINT], [['</a.css>; rel=preload; as=style']]],
    ['with two links', [TWO_HINTS], [['</a.css>; rel=preload; as=style, </b.js>; rel=preload']]],
    ['two of them', [HINT, HINT], [['</a.css>; rel=preload; as=style'], ['</a.css>; rel=preload; as=style']]],
  ])('103 passes: %s', async (_what, heads, links) => {
    proxy.upstream.on('/hinted', afterInterim(heads, answer(200, 'page')));
    const got = await get('/hinted');
    expect([got.status, got.text]).toEqual([200, 'page']);
    expect(got.interim.map((hint) => [hint.status, ...hint.headers.map(([, value]) => value)])).toEqual(
      links.map((values) => [103, ...values]),
    );
  });

  it('103 arrives before the answer is there', async () => {
    const hinted = Promise.withResolvers<void>();
    proxy.upstream.on(
      '/slow',
      script(async ({ write }) => {
        await write(`${HINT}\r\n\r\n`);
        await hinted.promise;
        await write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
      }),
    );
    const connection = await openRaw(proxy.origin);
    connection.send('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await connection.head()).status).toBe(103);
    hinted.resolve();
    expect((await connection.response()).status).toBe(200);
    connection.close();
  });

  it.each([
    ['103 for an HTTP/1.0 client', HINT, '1.0'],
    ['100 that was not asked for', 'HTTP/1.1 100 Continue', '1.1'],
    ['102', 'HTTP/1.1 102 Processing', '1.1'],
    ['103 without a link', 'HTTP/1.1 103 Early Hints\r\nX-Other: 1', '1.1'],
    [
      '103 with a link that node does not know how to read',
      'HTTP/1.1 103 Early Hints\r\nLink: nonsense',
      '1.1',
    ],
    ['199', 'HTTP/1.1 199 Whatever', '1.1'],
  ])('that nobody could use end here: %s', async (_what, head, version) => {
    proxy.upstream.on('/interim', afterInterim([head, head], answer(200, 'page')));
    const got = await get('/interim', version);
    expect([got.status, got.text, got.interim]).toEqual([200, 'page', []]);
  });

  it('may be a hundred', async () => {
    proxy.upstream.on('/many', afterInterim(Array(100).fill('HTTP/1.1 102 Processing'), answer()));
    expect((await get('/many')).status).toBe(200);
  });

  it('are a fault from there on: a storm of them neither lasts nor piles up', async () => {
    let stormed = 0;
    proxy.upstream.on(
      '/storm',
      script(async ({ write, socket }) => {
        for (; !socket.destroyed; stormed++) await write(`${HINT}\r\n\r\n`);
      }),
    );
    const got = await get('/storm');
    expect([got.status, got.json()]).toEqual([
      502,
      expect.objectContaining({ code: 'UPSTREAM_RESPONSE_INVALID' }),
    ]);
    expect(got.interim).toHaveLength(100);
    await settleDown(proxy, () => stormed);
    expect(proxy.upstream.openConnections).toBeLessThanOrEqual(1);
  });

  it.each([
    [
      '101 that was not asked for',
      'HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    ],
    ['101 to nothing', 'HTTP/1.1 101 Switching\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
    ['less than 100', 'HTTP/1.1 099 What\r\nContent-Length: 0\r\n\r\n'],
  ])('that make no sense are an invalid answer: %s', async (_what, bytes) => {
    proxy.upstream.on('/odd', raw(bytes));
    const got = await get('/odd');
    expect([got.status, got.json()]).toEqual([
      502,
      { message: 'Bad Gateway', code: 'UPSTREAM_RESPONSE_INVALID', requestId: got.header('x-request-id') },
    ]);
  });

  it('before a failure do not make it an answer', async () => {
    proxy.upstream.on('/fails', closeAfter(`${HINT}\r\n\r\n`));
    const connection = await openRaw(proxy.origin);
    connection.send('POST /fails HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n');
    const got = await connection.response('POST');
    expect([got.status, got.interim.length]).toEqual([502, 1]);
    connection.close();
  });
});

describe('Expect: 100-continue', () => {
  const POST = (path: string, ...lines: string[]) =>
    [`POST ${path} HTTP/1.1`, 'Host: a', 'Expect: 100-continue', ...lines, '', ''].join('\r\n');

  it.each([
    ['a length', 'Content-Length: 4', 'body'],
    ['chunks', 'Transfer-Encoding: chunked', `${chunk('body')}0\r\n\r\n`],
  ])('is answered, then the body goes on: %s', async (_what, framing, body) => {
    const connection = await openRaw(proxy.origin);
    const token = proxy.token({ 'cognito:groups': ['members'] });
    connection.send(POST('/members/x', framing, bearer(token)));
    expect((await connection.head()).status).toBe(100);
    expect(proxy.upstream.requests).toEqual([]);
    connection.send(body);
    expect((await connection.response('POST')).status).toBe(200);
    connection.close();
    const seen = await proxy.upstream.request(0);
    expect([seen.body.toString(), seen.values('expect')]).toEqual(['body', []]);
  });

  it.each([
    ['without a token', '/members/x', [], 401, 'AUTHN_TOKEN_MISSING'],
    ['with a token that does not do', '/members/x', ['token'], 403, 'AUTHZ_GROUP_REQUIRED'],
    ['for a body that is too long', '/small/x', [], 413, 'LIMIT_BODY'],
    ['for an upstream that is not there', '/dead/x', [], 502, 'UPSTREAM_CONNECT_FAILED'],
  ] as const)(
    'is not answered %s: the body is never asked for',
    async (_what, path, credentials, status, code) => {
      const before = proxy.upstream.connections;
      const connection = await openRaw(proxy.origin);
      const lines = credentials.map(() => bearer(proxy.token()));
      connection.send(POST(path, 'Content-Length: 100000', ...lines));
      const got = await connection.response('POST');
      expect([got.status, got.interim, got.json()]).toEqual([status, [], expect.objectContaining({ code })]);
      // The client may send what it announced or not: this connection cannot be used again.
      expect([got.header('connection'), await connection.closed]).toEqual(['close', 'end']);
      expect(proxy.upstream.connections).toBe(before);
    },
  );

  it('is not answered where there is no body to wait for', async () => {
    const connection = await openRaw(proxy.origin);
    connection.send(POST('/none', 'Content-Length: 0'));
    const got = await connection.response('POST');
    expect([got.status, got.interim]).toEqual([200, []]);
    connection.close();
  });

  it('of an HTTP/1.0 client is not answered, and its body goes on', async () => {
    const got = await proxy.request('POST /old HTTP/1.0', ['Expect: 100-continue'], 'body');
    expect([got.status, got.interim]).toEqual([200, []]);
    expect((await proxy.upstream.request(0)).body.toString()).toBe('body');
  });

  it('does not keep from the client an answer that comes instead of the body', async () => {
    proxy.upstream.on('/full', raw('HTTP/1.1 507 Full\r\nContent-Length: 4\r\n\r\nfull', 'head'));
    const connection = await openRaw(proxy.origin);
    connection.send(POST('/full', 'Content-Length: 100000'));
    expect((await connection.head()).status).toBe(100);
    connection.send('a beginning');
    const got = await connection.response('POST');
    expect([got.status, got.text, got.header('connection')]).toEqual([507, 'full', 'close']);
    expect(await connection.closed).toBe('end');
  });
});
