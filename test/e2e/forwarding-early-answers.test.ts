import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts';
import { OPEN_ROUTE } from '../support/open-route.ts';
import { type ProxyUnderTest, startProxy } from '../support/proxy.ts';
import { openRaw, type RawConnection } from '../support/raw-http.ts';
import { runOut } from '../support/run-out.ts';
import { type Answer, chunk, raw, script } from '../support/upstream-answers.ts';

/** More than the sockets' buffers hold: the client is still sending when the answer comes. */
const LENGTH = 32 * 1024 * 1024;
const PIECE = Buffer.alloc(65_536, 'x');

let clock: FakeClock;
let proxy: ProxyUnderTest;

beforeAll(async () => {
  clock = createFakeClock(Date.now());
  proxy = await startProxy({ routes: [OPEN_ROUTE] }, { clock });
});
afterAll(() => runOut(clock, proxy.stop()));
beforeEach(() => proxy.upstream.forget());

async function beginUpload(reply: Answer, length = LENGTH): Promise<RawConnection> {
  proxy.upstream.on('/up', reply);
  const connection = await openRaw(proxy.origin);
  connection.send(`POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`);
  connection.send(PIECE);
  return connection;
}

/** Sends on until all is sent or the connection refuses to take more. */
async function sendOn({ socket }: RawConnection, length = LENGTH): Promise<void> {
  for (let sent = PIECE.length; sent < length && !socket.destroyed; sent += PIECE.length) {
    await new Promise((resolve) => socket.write(PIECE, resolve));
  }
}

const SIZED = 'HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig';
const CHUNKED = `HTTP/1.1 413 Too Large\r\nTransfer-Encoding: chunked\r\n\r\n${chunk('big')}0\r\nX-Sum: 1\r\n\r\n`;

describe('an answer before the request is complete', () => {
  it.each([
    ['of a known length', SIZED, []],
    ['in chunks, with trailers', CHUNKED, [['x-sum', '1']]],
  ])('reaches a client that goes on sending, whole: %s', async (_what, bytes, trailers) => {
    const connection = await beginUpload(raw(bytes, 'head'));
    const sending = sendOn(connection);
    const got = await connection.response('POST');
    expect([got.status, got.text, got.trailers, got.header('connection')]).toEqual([
      413,
      'big',
      trailers,
      'close',
    ]);
    // The end is orderly while the client sends; nothing of the answer is lost to a reset.
    expect(await connection.closed).toBe('end');
    connection.close();
    await sending;
  });

  it('ends the request to the upstream, which is not sent the rest', async () => {
    const connection = await beginUpload(raw(SIZED, 'head'));
    await connection.response('POST');
    expect(await proxy.upstream.closed(proxy.upstream.connections)).toMatch(/end|reset/);
    expect(proxy.upstream.requests).toEqual([]);
    connection.close();
  });

  it('leaves a client that never stops a moment to read it, and no more', async () => {
    const connection = await beginUpload(raw(SIZED, 'head'));
    expect((await connection.response('POST')).text).toBe('big');
    await connection.closed;
    const gone = new Promise((resolve) => connection.socket.once('close', resolve));
    const sending = sendOn(connection, Number.POSITIVE_INFINITY);
    clock.advance(1_000);
    await gone;
    await sending;
  });

  it('is logged and counted as what it was', async () => {
    const connection = await beginUpload(raw(SIZED, 'head'));
    await connection.response('POST');
    expect(proxy.log.findLast((line) => line['path'] === '/up')).toMatchObject({
      status: 413,
      decision: 'allow',
    });
    expect(await proxy.metrics()).toContain('cognito_auth_proxy_requests_in_flight 0\n');
    connection.close();
  });

  it('does not hold up what the upstream still wants to read', async () => {
    const connection = await beginUpload(
      script(async ({ write, tunnel }) => {
        let received = 0;
        await write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n');
        tunnel((bytes) => {
          received += bytes.length;
          if (received === PIECE.length * 4) void write(`${chunk('all')}0\r\n\r\n`);
        });
      }, 'head'),
      PIECE.length * 4,
    );
    expect((await connection.head()).status).toBe(200);
    await sendOn(connection, PIECE.length * 4);
    expect((await connection.takeUntil('0\r\n\r\n')).toString()).toBe(`${chunk('all')}0\r\n\r\n`);
    connection.close();
  });
});
