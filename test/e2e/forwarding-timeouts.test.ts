import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts';
import { OPEN_ROUTE } from '../support/open-route.ts';
import { type ProxyUnderTest, startProxy } from '../support/proxy.ts';
import { openRaw, type RawConnection } from '../support/raw-http.ts';
import { runOut } from '../support/run-out.ts';
import { settleDown } from '../support/settle-down.ts';
import { type StuckListener, startStuckListener } from '../support/stuck-listener.ts';
import { type Answer, answer, chunk, script, silence } from '../support/upstream-answers.ts';

const CLIENT_IDLE = 30_000;
const RESPONSE = 3_000;
const BODY_IDLE = 2_000;
const CONNECT = 2_500;
const OWN = 1_000;
const LARGE = 64 * 1024 * 1024;
const PIECE = Buffer.alloc(65_536, 'x');

let clock: FakeClock;
let stuck: StuckListener;
let proxy: ProxyUnderTest;

beforeAll(async () => {
  clock = createFakeClock(Date.now());
  stuck = await startStuckListener();
  proxy = await startProxy(
    {
      server: { timeouts: { bodyIdle: '30s' } },
      upstreams: {
        board: { timeouts: { response: `${RESPONSE}ms`, bodyIdle: `${BODY_IDLE}ms` } },
        patient: { timeouts: { response: '1h', bodyIdle: '1h' } },
        stuck: { url: stuck.origin, retries: 0, timeouts: { connect: `${CONNECT}ms`, response: '1h' } },
      },
      routes: [
        OPEN_ROUTE,
        { ...OPEN_ROUTE, id: 'patient', match: { path: '/patient/{path+}' }, upstream: 'patient' },
        { ...OPEN_ROUTE, id: 'stuck', match: { path: '/stuck/{path+}' }, upstream: 'stuck' },
        {
          ...OPEN_ROUTE,
          id: 'own',
          match: { path: '/own/{path+}' },
          upstream: 'patient',
          timeouts: { response: `${OWN}ms`, bodyIdle: `${OWN}ms` },
        },
      ],
    },
    { clock },
  );
});
afterAll(async () => {
  await runOut(clock, proxy.stop());
  await stuck.stop();
});
beforeEach(() => proxy.upstream.forget());

/** A client that has the kernel give it one byte, whenever it asks; an empty text when there are no more. */
async function readByBytes(requestLine: string) {
  let arrived: (byte: string) => void = () => undefined;
  const socket = connect({
    port: Number(new URL(proxy.origin).port),
    host: '127.0.0.1',
    onread: {
      buffer: Buffer.alloc(1),
      callback(_count, bytes) {
        arrived(Buffer.from(bytes).toString('latin1'));
        return false;
      },
    },
  });
  socket.pause();
  for (const event of ['end', 'error']) socket.on(event, () => arrived(''));
  await once(socket, 'connect');
  socket.write(`${requestLine}\r\nHost: a\r\n\r\n`);
  return {
    socket,
    byte: () =>
      new Promise<string>((resolve) => {
        arrived = resolve;
        socket.resume();
      }),
  };
}

const TIMED_OUT = { message: 'Gateway Timeout', code: 'UPSTREAM_TIMEOUT' };

/** Resolves when somebody waits for so long. */
async function waitedFor(time: number): Promise<void> {
  while (!clock.waiting.includes(time)) await proxy.request('GET /other HTTP/1.1');
}

/** Sends a request and leaves the rest to the test. */
async function open(requestLine: string, ...lines: string[]): Promise<RawConnection> {
  const connection = await openRaw(proxy.origin);
  connection.send([requestLine, 'Host: a', ...lines, '', ''].join('\r\n'));
  return connection;
}

describe('an upstream', () => {
  it.each([
    ['that does not answer', '/mute/x', RESPONSE],
    ['that does not answer within what the route allows', '/own/x', OWN],
    ['that does not take the connection', '/stuck/x', CONNECT],
  ])('%s is given up: 504', async (_what, path, time) => {
    proxy.upstream.on(path, silence());
    const connection = await open(`GET ${path} HTTP/1.1`);
    if (path === '/stuck/x') await waitedFor(time);
    else await proxy.upstream.request(0);
    clock.advance(time - 1);
    expect((await proxy.request('GET /other HTTP/1.1')).status).toBe(200);
    clock.advance(1);
    const got = await connection.response();
    connection.close();
    expect([got.status, got.json()]).toEqual([504, { ...TIMED_OUT, requestId: got.header('x-request-id') }]);
    expect(await proxy.logged(path)).toMatchObject({
      decision: 'fault',
      code: 'UPSTREAM_TIMEOUT',
      level: 'warn',
    });
  });

  it('that does not answer loses the connection, and has the request once', async () => {
    proxy.upstream.on('/mute', silence());
    const client = await open('GET /mute HTTP/1.1');
    const { connection } = await proxy.upstream.request(0);
    clock.advance(RESPONSE);
    await proxy.upstream.closed(connection);
    expect((await client.response()).status).toBe(504);
    client.close();
    expect(proxy.upstream.requests).toHaveLength(1);
  });

  it('that does not read the body is the one that is late, not the client', async () => {
    const { connection, sending } = await upload(
      '/mute',
      script(({ socket }) => void socket.pause(), 'head'),
    );
    await settleDown(proxy, () => connection.socket.bytesWritten - connection.socket.writableLength);
    clock.advance(RESPONSE);
    const got = await connection.response('POST');
    expect([got.status, got.json()]).toEqual([504, expect.objectContaining(TIMED_OUT)]);
    clock.advance(1_000);
    await sending;
  });

  it('that stops in the middle of its answer is given up: the client’s connection is cut', async () => {
    const stops: Answer = script(({ write }) =>
      write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk('half')}`),
    );
    for (const path of ['/half', '/own/half']) {
      proxy.upstream.on(path, stops);
      const connection = await open(`GET ${path} HTTP/1.1`);
      const beginning = (await connection.takeUntil('half\r\n')).toString();
      clock.advance(BODY_IDLE);
      await connection.closed;
      expect(beginning).toMatch(/^HTTP\/1\.1 200 .*\r\n\r\n4\r\nhalf\r\n$/s);
      expect((await connection.rest()).toString()).toBe('');
      expect(await proxy.logged(path)).toMatchObject({
        decision: 'fault',
        code: 'UPSTREAM_TIMEOUT',
        status: 200,
      });
    }
  });

  it('is not held to its time while the client does not read', async () => {
    let sent = 0;
    proxy.upstream.on(
      '/down',
      script(async ({ write }) => {
        await write(`HTTP/1.1 200 OK\r\nContent-Length: ${LARGE}\r\n\r\n`);
        for (; sent < LARGE; sent += PIECE.length) await write(PIECE);
      }),
    );
    const connection = await open('GET /down HTTP/1.1');
    connection.socket.pause();
    await settleDown(proxy, () => sent);
    clock.advance(BODY_IDLE * 10);
    connection.socket.removeAllListeners('data').resume();
    await settleDown(proxy, () => sent);
    expect(sent).toBe(LARGE);
    connection.close();
  });
});

/** Begins an upload and sends on for as long as the other side takes it. */
async function upload(path: string, reply: Answer) {
  proxy.upstream.on(path, reply);
  const connection = await open(`POST ${path} HTTP/1.1`, `Content-Length: ${LARGE}`);
  const sending = (async () => {
    for (let sent = 0; sent < LARGE && !connection.socket.destroyed; sent += PIECE.length) {
      await new Promise((resolve) => connection.socket.write(PIECE, resolve));
    }
  })();
  return { connection, sending };
}

describe('a client', () => {
  /** The upstream has so many bytes of the body. */
  const received = (
    path: string,
  ): { readonly count: (bytes: number) => Promise<void>; readonly gone: Promise<void> } => {
    const gone = Promise.withResolvers<void>();
    let total = 0;
    let wake: () => void = () => undefined;
    proxy.upstream.on(
      path,
      script(({ socket, tunnel }) => {
        socket.on('close', () => gone.resolve());
        tunnel((bytes) => {
          total += bytes.length;
          wake();
        });
      }, 'head'),
    );
    return {
      gone: gone.promise,
      async count(bytes) {
        while (total < bytes) await new Promise<void>((resolve) => (wake = resolve));
      },
    };
  };

  it('that stops sending its body is refused: 408, and the upstream is told', async () => {
    const body = received('/patient/stops');
    const connection = await open('POST /patient/stops HTTP/1.1', 'Content-Length: 10');
    connection.send('half');
    await body.count(4);
    clock.advance(CLIENT_IDLE - 1);
    expect((await proxy.request('GET /other HTTP/1.1')).status).toBe(200);
    clock.advance(1);
    const got = await connection.response('POST');
    expect([got.status, got.json(), got.header('connection')]).toEqual([
      408,
      { message: 'Request Timeout', code: 'REQUEST_TIMEOUT', requestId: got.header('x-request-id') },
      'close',
    ]);
    await body.gone;
    connection.close();
  });

  it('that never begins its body is refused too', async () => {
    const connection = await open(
      'POST /patient/never HTTP/1.1',
      'Content-Length: 10',
      'Expect: 100-continue',
    );
    expect((await connection.head()).status).toBe(100);
    clock.advance(CLIENT_IDLE);
    expect((await connection.response('POST')).status).toBe(408);
    connection.close();
  });

  it('that sends a byte now and then is let go on', async () => {
    const body = received('/patient/slow');
    const connection = await open('POST /patient/slow HTTP/1.1', 'Content-Length: 10');
    for (let sent = 1; sent <= 10; sent++) {
      connection.send('x');
      await body.count(sent);
      clock.advance(CLIENT_IDLE - 1);
    }
    // The body is complete: from here on it is the upstream’s turn.
    clock.advance(CLIENT_IDLE * 10);
    expect((await proxy.request('GET /other HTTP/1.1')).status).toBe(200);
    expect(proxy.log.filter((line) => line['path'] === '/patient/slow')).toEqual([]);
    connection.close();
    await body.gone;
  });

  it('that does not read its answer is cut off, and the upstream with it', async () => {
    let sent = 0;
    const gone = Promise.withResolvers<void>();
    proxy.upstream.on(
      '/patient/down',
      script(async ({ socket, write }) => {
        socket.on('close', () => gone.resolve());
        await write(`HTTP/1.1 200 OK\r\nContent-Length: ${LARGE}\r\n\r\n`);
        for (; sent < LARGE && !socket.destroyed; sent += PIECE.length) await write(PIECE);
      }),
    );
    const connection = await open('GET /patient/down HTTP/1.1');
    connection.socket.pause();
    await settleDown(proxy, () => sent);
    clock.advance(CLIENT_IDLE);
    await gone.promise;
    expect(sent).toBeLessThan(LARGE);
    expect(await proxy.logged('/patient/down')).toMatchObject({ code: 'REQUEST_TIMEOUT', status: 200 });
    connection.close();
  });

  it('that takes a byte of a long answer a second is cut off, and the upstream with it', async () => {
    let sent = 0;
    const gone = Promise.withResolvers<void>();
    proxy.upstream.on(
      '/patient/drop',
      script(async ({ socket, write }) => {
        socket.on('close', () => gone.resolve());
        await write(`HTTP/1.1 200 OK\r\nContent-Length: ${LARGE}\r\n\r\n`);
        for (; sent < LARGE && !socket.destroyed; sent += PIECE.length) await write(PIECE);
      }),
    );
    const reader = await readByBytes('GET /patient/drop HTTP/1.1');
    await settleDown(proxy, () => sent);
    for (let time = 0; time < CLIENT_IDLE; time += 1_000) {
      expect(await reader.byte()).not.toBe('');
      // Nobody else waits for it.
      expect((await proxy.request('GET /other HTTP/1.1')).status).toBe(200);
      clock.advance(1_000);
    }
    await gone.promise;
    expect(sent).toBeLessThan(LARGE);
    expect(await proxy.logged('/patient/drop')).toMatchObject({ code: 'REQUEST_TIMEOUT', status: 200 });
    reader.socket.destroy();
  });

  it('that takes a byte of a short answer a second has all of it', async () => {
    proxy.upstream.on('/sip', answer(200, 'all of it'));
    const reader = await readByBytes('GET /sip HTTP/1.1');
    let text = '';
    while (!text.endsWith('all of it')) {
      const byte = await reader.byte();
      expect(byte, text).not.toBe('');
      text += byte;
      clock.advance(1_000);
    }
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
    expect(await proxy.logged('/sip')).toMatchObject({ status: 200, decision: 'allow' });
    reader.socket.destroy();
  });

  it.each([
    ['an upstream', '/pages', ''],
    ['the proxy', '/', 'Accept: text/html\r\n'],
  ])(
    'that does not read the short answers of %s to all it has asked is cut off',
    async (_whose, path, line) => {
      proxy.upstream.on('/pages', answer(200, 'x'.repeat(40_000)));
      const connection = await openRaw(proxy.origin);
      connection.socket.pause();
      connection.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n${line}\r\n`.repeat(20_000));
      await settleDown(proxy, () => proxy.log.filter((logged) => logged['path'] === path).length);
      expect(await proxy.metrics()).toContain('cognito_auth_proxy_requests_in_flight 1\n');
      clock.advance(CLIENT_IDLE);
      await settleDown(proxy, () => proxy.log.filter((logged) => logged['path'] === path).length);
      expect(await proxy.metrics()).toContain('cognito_auth_proxy_requests_in_flight 0\n');
      connection.close();
    },
  );

  it('that waits for an upstream with nothing to say is left in peace', async () => {
    const events = Promise.withResolvers<(event: string) => Promise<void>>();
    proxy.upstream.on(
      '/patient/events',
      script(async ({ write }) => {
        await write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
        events.resolve((event) => write(chunk(event)));
      }),
    );
    const connection = await open('GET /patient/events HTTP/1.1');
    await connection.head();
    const tell = await events.promise;
    for (const event of ['one', 'two']) {
      clock.advance(CLIENT_IDLE * 2);
      await tell(event);
      await connection.takeUntil(event);
    }
    connection.close();
  });
});
