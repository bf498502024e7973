/**
 * What follows an unanswered request on its connection: it must not reach the upstream before its turn (RFC 9112 section
 * 9.3.2), must not take that request's answer away, and must not end the process, as a CONNECT would under a bare
 * node:http server that answers it.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { untilIdle } from '../support/attack.ts';
import { type ProxyUnderTest, startProxy } from '../support/proxy.ts';
import { openRaw, type RawConnection } from '../support/raw-http.ts';
import { answer, type HeldAnswer, held } from '../support/upstream-answers.ts';

let proxy: ProxyUnderTest;

beforeAll(async () => {
  proxy = await startProxy({
    server: { timeouts: { headers: '1s' } },
    routes: [
      { id: 'open', match: { path: '/public/{path+}' }, allow: 'public', upstream: 'board' },
      { id: 'members', match: { path: '/members' }, allow: 'authenticated', upstream: 'board' },
    ],
  });
});
afterEach(async () => {
  await untilIdle(proxy);
  proxy.upstream.forget();
});
afterAll(() => proxy.stop());

const get = (path: string, lines: readonly string[] = []): string =>
  [`GET ${path} HTTP/1.1`, 'Host: x', ...lines, '', ''].join('\r\n');
const UPGRADE = ['Connection: Upgrade', 'Upgrade: websocket'];

/** A connection whose first request is at the upstream, which does not answer until it is told to. */
async function busy(rest: string): Promise<{ connection: RawConnection; slow: HeldAnswer }> {
  const slow = held(answer(200, 'slow'));
  proxy.upstream.on('/public/slow', slow);
  const connection = await openRaw(proxy.origin);
  connection.send(get('/public/slow') + rest);
  await slow.arrived;
  return { connection, slow };
}

/** The answers that are to come, each as its status and body or code. */
async function answersOf(connection: RawConnection, count: number): Promise<string[]> {
  const answers: string[] = [];
  for (let i = 0; i < count; i++) {
    const response = await connection.response();
    const code = response.text.startsWith('{') ? (response.json() as { code: string }).code : response.text;
    answers.push(`${response.status} ${code}`);
  }
  return answers;
}

describe('behind a request under way', () => {
  it.each([
    ['CONNECT', 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n', '400 REQUEST_METHOD_UNSUPPORTED'],
    ['bytes that are no request', 'GARBAGE\r\n\r\n', '400 REQUEST_MALFORMED'],
    [
      'doubtful framing',
      'POST /public/x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      '400 REQUEST_MALFORMED',
    ],
    [
      'a body that breaks off in mid-chunk',
      'POST /public/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n',
      '400 REQUEST_MALFORMED',
    ],
    ['headers that are too large', get('/public/x', [`X-A: ${'a'.repeat(60_000)}`]), '431 LIMIT_HEADERS'],
  ])('%s has its answer after it, and the connection ends', async (_, rest, expected) => {
    const { connection, slow } = await busy(rest);
    slow.release();
    expect(await answersOf(connection, 2)).toEqual(['200 slow', expected]);
    expect((await connection.rest()).toString()).toBe('');
    connection.close();
    expect(proxy.upstream.requests.map(({ target }) => target)).toEqual(['/public/slow']);
  });

  it('half a request is timed out after it', async () => {
    const { connection, slow } = await busy('GET /public/half HTTP/1.1\r\nHost:');
    // The time for headers passes while the first request is still under way; then its answer comes nonetheless.
    while (!(await proxy.metrics()).includes('REQUEST_TIMEOUT')) {
      if (proxy.upstream.requests.length === 1) slow.release();
    }
    expect(await answersOf(connection, 2)).toEqual(['200 slow', '408 REQUEST_TIMEOUT']);
    connection.close();
  });

  it('an upgrade is an ordinary request, since there is no connection to switch yet', async () => {
    const { connection, slow } = await busy(get('/public/ws', UPGRADE));
    slow.release();
    expect(await answersOf(connection, 2)).toEqual(['200 slow', '200 ok']);
    connection.close();
    expect(proxy.upstream.requests[1]?.values('upgrade')).toEqual([]);
  });

  // Node's parser skips what came in one packet behind an upgrade that is declined; what comes in the next packet could be
  // the middle of a request.
  it.each([
    ['of a WebSocket, behind a request under way', get('/public/1'), UPGRADE],
    ['to HTTP/2, as Java offers it', '', ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c']],
    ['to anything', '', ['Connection: upgrade', 'Upgrade: x']],
  ])(
    'the connection ends with an upgrade declined %s, when more came behind it',
    async (_, before, lines) => {
      const connection = await openRaw(proxy.origin);
      const smuggled = get('/public/smuggled');
      connection.send(`${before}${get('/public/2', lines)}POST /public/3 HTTP/1.1\r\nHost: x\r\n`);
      connection.send(`Content-Length: ${smuggled.length}\r\n\r\n`);
      if (before !== '') await connection.response();
      const response = await connection.response();
      expect([response.status, response.header('connection')]).toEqual([200, 'close']);
      connection.send(smuggled);
      expect((await connection.rest()).toString()).toBe('');
      connection.close();
      expect(proxy.upstream.requests.map(({ target }) => target)).not.toContain('/public/smuggled');
    },
  );

  it('the connection stays where an upgrade to HTTP/2 is declined and nothing came behind it', async () => {
    const connection = await openRaw(proxy.origin);
    connection.send(
      get('/public/1', ['Connection: Upgrade, HTTP2-Settings', 'HTTP2-Settings: AAMAAABk', 'Upgrade: h2c']),
    );
    const response = await connection.response();
    expect([response.status, response.header('connection')]).toEqual([200, 'keep-alive']);
    connection.send(get('/public/2'));
    expect((await connection.response()).status).toBe(200);
    connection.close();
  });

  it('an upgrade is one again when the requests before it are answered', async () => {
    const connection = await openRaw(proxy.origin);
    connection.send(get('/public/x'));
    expect((await connection.response()).status).toBe(200);
    connection.send(get('/members', UPGRADE));
    const response = await connection.response();
    expect([response.status, response.header('connection')]).toEqual([401, 'close']);
    connection.close();
  });

  it('requests wait for their turn', async () => {
    const { connection, slow } = await busy(get('/public/2') + get('/public/3'));
    await untilIdleBut(1);
    expect(proxy.upstream.requests).toHaveLength(1);
    slow.release();
    expect(await answersOf(connection, 3)).toEqual(['200 slow', '200 ok', '200 ok']);
    connection.close();
  });

  it('requests are never sent when the client is gone', async () => {
    const { connection, slow } = await busy(get('/public/2').repeat(50));
    connection.reset();
    await proxy.upstream.closed(proxy.upstream.requests[0]?.connection ?? 0);
    slow.release();
    await untilIdle(proxy);
    expect(proxy.upstream.requests).toHaveLength(1);
  });

  it('requests are never sent when the answer closes the connection', async () => {
    const connection = await openRaw(proxy.origin);
    connection.send(`GET /public/x HTTP/1.1\r\n\r\n${get('/public/2').repeat(10)}`);
    expect(await answersOf(connection, 1)).toEqual(['400 REQUEST_HOST_INVALID']);
    connection.close();
    await untilIdle(proxy);
    expect(proxy.upstream.requests).toEqual([]);
  });
});

describe('a flood', { timeout: 120_000 }, () => {
  it('of ten thousand requests is answered in order, one at a time', async () => {
    const connection = await openRaw(proxy.origin);
    const { connections } = proxy.upstream;
    connection.send(Array.from({ length: 10_000 }, (_, i) => get(`/public/${i}`)).join(''));
    for (let i = 0; i < 10_000; i++)
      if ((await connection.response()).status !== 200) throw new Error(`${i}`);
    connection.close();
    expect(proxy.upstream.requests.map(({ target }) => target)).toEqual(
      Array.from({ length: 10_000 }, (_, i) => `/public/${i}`),
    );
    expect(proxy.upstream.connections - connections).toBeLessThanOrEqual(1);
  });

  it('of refused requests is answered in order', async () => {
    const connection = await openRaw(proxy.origin);
    connection.send(get('/members').repeat(5_000));
    for (let i = 0; i < 5_000; i++) if ((await connection.response()).status !== 401) throw new Error(`${i}`);
    connection.close();
    expect(proxy.upstream.requests).toEqual([]);
  });

  it('that waits without end is cut off, and others are served meanwhile', async () => {
    const { connection } = await busy(get('/public/x').repeat(60_000));
    await connection.closed;
    const other = await busy(get('/public/y'));
    expect((await proxy.request('GET /public/z HTTP/1.1')).status).toBe(200);
    other.slow.release();
    expect(await answersOf(other.connection, 2)).toEqual(['200 slow', '200 ok']);
    other.connection.close();
    connection.close();
  });
});

/** Resolves when the proxy says that it handles so many requests. */
async function untilIdleBut(count: number): Promise<void> {
  while (!(await proxy.metrics()).includes(`cognito_auth_proxy_requests_in_flight ${count}\n`));
}
