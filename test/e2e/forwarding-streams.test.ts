import { once } from 'node:events';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { OPEN_ROUTE } from '../support/open-route.ts';
import { type ProxyUnderTest, startProxy } from '../support/proxy.ts';
import { openRaw } from '../support/raw-http.ts';
import { settleDown } from '../support/settle-down.ts';
import { chunk, chunked, held, raw, script } from '../support/upstream-answers.ts';

/** More than all the sockets' buffers on the way can hold. */
const LARGE = 64 * 1024 * 1024;
const PIECE = Buffer.alloc(65_536, 'x');

let proxy: ProxyUnderTest;

beforeAll(async () => {
  proxy = await startProxy({ routes: [OPEN_ROUTE] });
});
afterAll(() => proxy.stop());
beforeEach(() => proxy.upstream.forget());

describe('backpressure', () => {
  it('stops an upstream whose client does not read, until it does', async () => {
    let sent = 0;
    proxy.upstream.on(
      '/down',
      script(async ({ write }) => {
        await write(`HTTP/1.1 200 OK\r\nContent-Length: ${LARGE}\r\n\r\n`);
        for (; sent < LARGE; sent += PIECE.length) await write(PIECE);
      }),
    );
    const connection = await openRaw(proxy.origin);
    connection.socket.pause();
    connection.send('GET /down HTTP/1.1\r\nHost: a\r\n\r\n');
    await proxy.upstream.request(0);
    expect(await settleDown(proxy, () => sent)).toBeLessThan(LARGE / 2);

    let received = 0;
    connection.socket.removeAllListeners('data');
    connection.socket.on('data', (bytes: Buffer) => {
      received += bytes.length;
      if (received >= LARGE) connection.socket.end();
    });
    connection.socket.resume();
    await connection.closed;
    expect(sent).toBe(LARGE);
    expect(received).toBeGreaterThan(LARGE);
  });

  it('stops a client whose upstream does not read, until it does', async () => {
    let received = 0;
    const arrived = Promise.withResolvers<() => void>();
    proxy.upstream.on(
      '/up',
      script(({ socket, tunnel, write }) => {
        tunnel((bytes) => {
          received += bytes.length;
          if (received >= LARGE)
            void write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok');
        });
        socket.pause();
        arrived.resolve(() => socket.resume());
      }, 'head'),
    );
    const { socket, send, response, close } = await openRaw(proxy.origin);
    send(`POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: ${LARGE}\r\n\r\n`);
    let sent = 0;
    const sending = (async () => {
      for (; sent < LARGE; sent += PIECE.length) if (!socket.write(PIECE)) await once(socket, 'drain');
    })();
    const resume = await arrived.promise;
    expect(await settleDown(proxy, () => sent)).toBeLessThan(LARGE / 2);

    resume();
    await sending;
    expect((await response('POST')).text).toBe('ok');
    expect([sent, received]).toEqual([LARGE, LARGE]);
    close();
  });
});

describe('what is there is sent', () => {
  it('server-sent events arrive one by one, each before the next is sent', async () => {
    const events = ['data: one\n\n', 'data: two\n\n', `data: ${'x'.repeat(20_000)}\n\n`, 'data: end\n\n'];
    let read: () => void = () => undefined;
    proxy.upstream.on(
      '/events',
      script(async ({ write }) => {
        await write(
          'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n',
        );
        for (const event of events) {
          const wasRead = new Promise<void>((resolve) => {
            read = resolve;
          });
          await write(chunk(event));
          await wasRead;
        }
        await write('0\r\n\r\n');
      }),
    );
    const connection = await openRaw(proxy.origin);
    connection.send('GET /events HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n');
    expect((await connection.head()).header('content-type')).toBe('text/event-stream');
    for (const event of events) {
      expect((await connection.takeUntil('\n\n')).toString()).toContain(event);
      read();
    }
    await connection.takeUntil('0\r\n\r\n');
    connection.close();
  });

  it.each([
    ['chunked', 'Transfer-Encoding: chunked', '4\r\nbody\r\n0\r\n\r\n'],
    ['of a known length', 'Content-Length: 4', 'body'],
  ])('the header section does not wait for a body %s', async (_what, framing, body) => {
    const late = held(raw(body));
    proxy.upstream.on(
      '/late',
      script(async (context) => {
        await context.write(`HTTP/1.1 200 OK\r\n${framing}\r\nX-Early: yes\r\n\r\n`);
        await late.run(context);
      }),
    );
    const connection = await openRaw(proxy.origin);
    connection.send('GET /late HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await connection.head()).header('x-early')).toBe('yes');
    late.release();
    expect((await connection.takeUntil('body')).toString()).toContain('body');
    connection.close();
  });

  it('the header section and the first bytes go together where both are at hand', async () => {
    const connection = await openRaw(proxy.origin);
    const first = once(connection.socket, 'data') as Promise<[Buffer]>;
    connection.send('GET /whole HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await first)[0].toString()).toMatch(/^HTTP\/1\.1 200 .*\r\n\r\nok$/s);
    connection.close();
  });
});

describe('trailers', () => {
  const trailersOf = async (...lines: string[]) => {
    proxy.upstream.on('/trailers', chunked(['body'], lines));
    return (await proxy.request('GET /trailers HTTP/1.1', ['TE: trailers'])).trailers;
  };

  it('of an answer pass', async () => {
    expect(await trailersOf('X-Checksum: abc', 'Server-Timing: a', 'Server-Timing: b')).toEqual([
      ['x-checksum', 'abc'],
      ['server-timing', 'a'],
      ['server-timing', 'b'],
    ]);
  });

  it('are announced as they were', async () => {
    const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n';
    proxy.upstream.on('/announced', raw(`${head}${chunk('body')}0\r\nX-Sum: 1\r\n\r\n`));
    const got = await proxy.request('GET /announced HTTP/1.1');
    expect([got.header('trailer'), got.trailers]).toEqual(['X-Sum', [['x-sum', '1']]]);
  });

  it('that were announced beside a length are not', async () => {
    proxy.upstream.on('/length', raw('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTrailer: X-Sum\r\n\r\nok'));
    const got = await proxy.request('GET /length HTTP/1.1');
    expect([got.status, got.text, got.header('trailer')]).toEqual([200, 'ok', undefined]);
  });

  it.each([
    'Transfer-Encoding: gzip',
    'Content-Length: 5',
    'Host: evil',
    'Connection: close',
    'Trailer: x',
    'X-Request-Id: theirs',
  ])('that frame, route or are ours do not pass: %s', async (line) => {
    const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
    proxy.upstream.on('/framing', raw(`${head}${chunk('body')}0\r\n${line}\r\nX-Sum: 1\r\n\r\n`));
    expect((await proxy.request('GET /framing HTTP/1.1')).trailers).toEqual([['x-sum', '1']]);
  });

  it('of a request are dropped, and it is taken for complete all the same', async () => {
    const body = `${chunk('body')}0\r\nX-Checksum: abc\r\nX-Cognito-Sub: forged\r\n\r\n`;
    await proxy.request('POST /up HTTP/1.1', ['Transfer-Encoding: chunked', 'Trailer: X-Checksum'], body);
    const seen = await proxy.upstream.request(0);
    expect([seen.body.toString(), seen.trailers, seen.values('trailer')]).toEqual(['body', [], []]);
    expect(proxy.upstream.bytes(seen.connection).toString()).not.toMatch(/checksum|forged/i);
  });
});
