import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { OPEN_ROUTE } from '../support/open-route.ts';
import { type ProxyUnderTest, startProxy } from '../support/proxy.ts';
import { openRaw } from '../support/raw-http.ts';
import { answer, closeAfter, held, raw, reset, script } from '../support/upstream-answers.ts';

let proxy: ProxyUnderTest;

beforeAll(async () => {
  proxy = await startProxy({
    upstreams: {
      board: { retries: 1 },
      once: { retries: 0 },
      thrice: { retries: 3 },
      brief: { timeouts: { keepAlive: '100ms' } },
      hasty: { timeouts: { response: '100ms' } },
    },
    routes: [
      OPEN_ROUTE,
      ...['once', 'thrice', 'brief', 'hasty'].map((name) => ({
        ...OPEN_ROUTE,
        id: name,
        match: { path: `/${name}/{path+}` },
        upstream: name,
      })),
    ],
  });
});
afterAll(() => proxy.stop());
beforeEach(() => proxy.upstream.forget());

describe('connections', () => {
  it('of a client serve one request after another', async () => {
    const connection = await openRaw(proxy.origin);
    for (let i = 0; i < 5; i++) {
      connection.send(`GET /${i} HTTP/1.1\r\nHost: a\r\n\r\n`);
      const got = await connection.response();
      expect([got.text, got.header('connection')]).toEqual(['ok', 'keep-alive']);
    }
    connection.send('GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect((await connection.response()).header('connection')).toBe('close');
    expect(await connection.closed).toBe('end');
  });

  it('of a client may have requests sent ahead; the answers come in order', async () => {
    const slow = held(answer(200, 'first'));
    proxy.upstream.on('/slow', slow);
    proxy.upstream.on('/quick', answer(200, 'second'));
    const connection = await openRaw(proxy.origin);
    connection.send(
      'GET /slow HTTP/1.1\r\nHost: a\r\n\r\nPOST /quick HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody',
    );
    connection.send('GET /none HTTP/1.1\r\nHost: a\r\n\r\n');
    await slow.arrived;
    slow.release();
    const texts = [await connection.response(), await connection.response(), await connection.response()];
    expect(texts.map(({ text }) => text)).toEqual(['first', 'second', 'ok']);
    expect(proxy.upstream.requests.map(({ body }) => body.toString())).toEqual(['', 'body', '']);
    connection.close();
  });

  it('to the upstream serve requests of all clients, one after another', async () => {
    await proxy.request('GET /warm HTTP/1.1');
    const before = proxy.upstream.connections;
    for (let i = 0; i < 5; i++) await proxy.request(`POST /${i} HTTP/1.1`, [], 'body');
    expect(proxy.upstream.connections).toBe(before);
  });

  it('to the upstream are as many as requests at once', async () => {
    const slow = held();
    proxy.upstream.on('/slow', slow);
    const answers = Array.from({ length: 20 }, () => proxy.request('GET /slow HTTP/1.1'));
    while (proxy.upstream.openConnections < 20) await proxy.request('GET /other HTTP/1.1');
    slow.release();
    expect((await Promise.all(answers)).every(({ status }) => status === 200)).toBe(true);
    expect(new Set(proxy.upstream.requests.map(({ connection }) => connection)).size).toBeGreaterThanOrEqual(
      20,
    );
  });

  it.each([
    ['says that it closes', answer(200, 'ok', ['Connection: close'])],
    ['closes without saying', closeAfter('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')],
    ['keeps idle ones for too short a time', answer(200, 'ok', ['Keep-Alive: timeout=1'])],
    ['speaks HTTP/1.0', raw('HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok')],
  ])('are left where an upstream %s', async (_what, reply) => {
    proxy.upstream.on('/leave', reply);
    expect((await proxy.request('GET /leave HTTP/1.1')).text).toBe('ok');
    const { connection } = await proxy.upstream.request(0);
    await proxy.upstream.closed(connection);
    // No request is risked on it, not even one that must not be sent twice.
    expect((await proxy.request('POST /next HTTP/1.1', [], 'body')).status).toBe(200);
    expect((await proxy.upstream.request(1)).connection).not.toBe(connection);
  });

  it('that are idle are closed by us first', async () => {
    await proxy.request('GET /brief/x HTTP/1.1');
    const { connection } = await proxy.upstream.request(0);
    expect(await proxy.upstream.closed(connection)).toBe('end');
  });

  it('are counted', async () => {
    await proxy.request('GET /thrice/x HTTP/1.1');
    expect(await proxy.metrics()).toContain('cognito_auth_proxy_upstream_connections{upstream="thrice"} 1\n');
  });
});

describe('what is sent again when the connection fails', () => {
  it.each([
    ['GET', '', 2],
    ['HEAD', '', 2],
    ['OPTIONS', '', 2],
    ['PUT', '', 2],
    ['DELETE', '', 2],
    ['POST', '', 1],
    ['PATCH', '', 1],
    ['REPORT', '', 1],
    ['GET', 'body', 1],
    ['PUT', 'body', 1],
    ['DELETE', 'body', 1],
    ['POST', 'body', 1],
  ])('%s with the body "%s": the upstream sees it %i times', async (method, body, times) => {
    proxy.upstream.on('/fails', reset());
    expect((await proxy.request(`${method} /fails HTTP/1.1`, [], body)).status).toBe(502);
    expect(proxy.upstream.requests.map((seen) => seen.method)).toEqual(Array(times).fill(method));
  });

  it.each([
    ['/once/x', 1],
    ['/thrice/x', 4],
  ])('%s: as many times as configured, and the first', async (path, times) => {
    proxy.upstream.on(path, reset());
    expect((await proxy.request(`GET ${path} HTTP/1.1`)).status).toBe(502);
    expect(proxy.upstream.requests).toHaveLength(times);
  });

  it('the answer is then the second one’s, and the client sees nothing of the first', async () => {
    let times = 0;
    proxy.upstream.on(
      '/second',
      script(async (context) => (++times === 1 ? reset() : answer(200, 'second')).run(context)),
    );
    const got = await proxy.request('GET /second?x=1 HTTP/1.1', ['X-Mark: 1']);
    expect([got.status, got.text]).toEqual([200, 'second']);
    const [first, second] = proxy.upstream.requests;
    expect(second?.headerLines).toEqual(first?.headerLines);
    expect(second?.requestLine).toBe(first?.requestLine);
    expect(proxy.log.filter((line) => line['path'] === '/second')).toHaveLength(1);
  });

  it.each([
    ['an answer that is none', '/odd', raw('SSH-2.0\r\n\r\n'), 502],
    [
      'an answer that breaks off',
      '/half',
      closeAfter('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'),
      200,
    ],
    ['an error that the upstream answers with', '/error', answer(503, 'busy'), 503],
    ['no answer in time', '/hasty/x', script(() => undefined), 504],
  ])('nothing after %s', async (_what, path, reply, status) => {
    proxy.upstream.on(path, reply);
    const connection = await openRaw(proxy.origin);
    connection.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
    expect((await connection.head()).status).toBe(status);
    expect(proxy.upstream.requests).toHaveLength(1);
    connection.close();
  });
});
