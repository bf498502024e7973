import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../../src/core/system-clock.ts';
import type { BodySink, BodySource } from '../../../../src/send/http/body-source.ts';
import type { AnswerReceiver } from '../../../../src/send/http/connection.ts';
import { ConnectionPool } from '../../../../src/send/http/connection-pool.ts';
import { type Connector, createConnector } from '../../../../src/send/http/connector.ts';
import { createFakeClock, type FakeClock } from '../../../support/fake-clock.ts';
import { type RecordingUpstream, startRecordingUpstream } from '../../../support/recording-upstream.ts';
import { type Answer, answer, raw, reset, script } from '../../../support/upstream-answers.ts';

let upstream: RecordingUpstream;
let pool: ConnectionPool;
/** Times the last connection made was written to. */
let writes: () => number;
/** What was said to have been sent of bodies. */
let bytesSent: number;
/** Resolved when an answer has begun. */
let begun: PromiseWithResolvers<void>;

beforeEach(async () => {
  upstream = await startRecordingUpstream();
  const connector = createConnector(upstream.origin, { servername: '' });
  const connect: Connector = (...how) => {
    const socket = connector(...how);
    const write = vi.spyOn(socket, 'write');
    writes = () => write.mock.calls.length;
    return socket;
  };
  bytesSent = 0;
  begun = Promise.withResolvers();
  pool = new ConnectionPool({ connect, connectTimeout: 5_000, keepAlive: 5_000, clock: systemClock });
});
afterEach(async () => {
  pool.destroy();
  await upstream.stop();
});

/** A body that a test hands on, and that writes down what it is told. */
class HandedBody implements BodySource {
  readonly told: string[] = [];
  readonly wanted = Promise.withResolvers<BodySink>();
  readonly resumed = Promise.withResolvers<void>();
  flow(sink: BodySink): void {
    this.wanted.resolve(sink);
  }
  pause(): void {
    this.told.push('pause');
  }
  resume(): void {
    this.told.push('resume');
    this.resumed.resolve();
  }
  release(): void {
    this.told.push('release');
  }
}

/** Sends a request with this body; resolves with the status, or the message of what failed. */
function send(
  body: BodySource | Buffer,
  contentLength: number,
  responseTimeout = 5_000,
  bodyIdleTimeout = 5_000,
): Promise<number | string> {
  const { promise, resolve } = Promise.withResolvers<number | string>();
  let status = 0;
  const receiver: AnswerReceiver = {
    connected: () => true,
    bodySent: (bytes) => {
      bytesSent += bytes;
    },
    requestSent: () => undefined,
    interim: () => undefined,
    answered: (head) => {
      status = head.status;
      begun.resolve();
    },
    received: () => undefined,
    ended: () => resolve(status),
    failed: (error) => resolve(error.message),
  };
  const head = { method: 'POST', path: '/up', headers: ['host', 'a'] };
  pool.send({ ...head, body, contentLength, responseTimeout, bodyIdleTimeout }, receiver);
  return promise;
}

/** A body that is at hand: all of it comes, and its end, as soon as it is asked for. */
function bodyAtHand(pieces: readonly Buffer[]): BodySource {
  return {
    flow(sink) {
      process.nextTick(() => {
        for (const piece of pieces) sink.take(piece);
        sink.end();
      });
    },
    pause: () => undefined,
    resume: () => undefined,
    release: () => undefined,
  };
}

const ALL_BYTES = Buffer.from(Array.from({ length: 8_193 }, (_, i) => i & 0xff));

describe('a body on its way', () => {
  it.each([
    ['none', 0, 0],
    ['none, in chunks', -1, 0],
    ['a small one', 300, 300],
    ['a small one, in chunks', -1, 300],
    ['the largest that is copied', 8_192, 8_192],
    ['the largest that is copied, in chunks', -1, 8_192],
    ['the smallest that is not', 8_193, 8_193],
    ['the smallest that is not, in chunks', -1, 8_193],
  ])('that is at hand goes out behind its header section, byte for byte: %s', async (_what, length, size) => {
    const bytes = ALL_BYTES.subarray(0, size);
    expect(await send(bodyAtHand(size === 0 ? [] : [bytes]), length)).toBe(200);
    const { headerLines, body } = await upstream.request(0);
    const framing = length < 0 ? 'transfer-encoding: chunked' : `content-length: ${length}`;
    expect(headerLines).toEqual(['host: a', framing]);
    expect(body.equals(bytes)).toBe(true);
    expect(writes()).toBe(size > 8_192 ? (length < 0 ? 4 : 2) : length < 0 && size > 0 ? 2 : 1);
  });

  it.each([0, 300, 8_192, 8_193])('held in memory goes out byte for byte: %i bytes', async (size) => {
    const bytes = ALL_BYTES.subarray(0, size);
    expect(await send(bytes, size)).toBe(200);
    expect((await upstream.request(0)).body.equals(bytes)).toBe(true);
    expect([bytesSent, writes()]).toEqual([size, size > 8_192 ? 2 : 1]);
  });

  it('that the upstream answers before it has read all of it has its connection to itself', async () => {
    upstream.on(
      '/up',
      script(async ({ socket, write }) => {
        socket.pause();
        await write('HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n');
      }, 'head'),
    );
    // All of it is given to the socket, whose buffers do not hold so much.
    const body = Buffer.alloc(64 * 1_024 * 1_024);
    expect(await send(body, body.length)).toBe(413);
    upstream.on('/up', answer(201));
    expect(await send(Buffer.from('next'), 4)).toBe(201);
    expect(upstream.connections).toBe(2);
  });

  it('does not hold up the header section when nothing of it has come', async () => {
    const arrived = Promise.withResolvers<void>();
    upstream.on(
      '/up',
      script(() => arrived.resolve(), 'head'),
    );
    const body = new HandedBody();
    void send(body, 4);
    await arrived.promise;
  });

  it.each([
    ['longer than was said, at once', 4, ['bodyX'], 'the body is longer than its Content-Length', ''],
    ['longer than was said, later', 4, ['bo', 'dyX'], 'the body is longer than its Content-Length', 'bo'],
    ['shorter than was said', 4, ['bod'], 'the body is shorter than its Content-Length', 'bod'],
    ['nothing where something was said', 4, [], 'the body is shorter than its Content-Length', ''],
  ])('that is %s is never taken for a whole one', async (_what, length, pieces, message, sent) => {
    const body = new HandedBody();
    const over = send(body, length);
    const sink = await body.wanted.promise;
    for (const piece of pieces) {
      sink.take(Buffer.from(piece));
      await setImmediate();
    }
    if (!body.told.includes('release')) sink.end();
    expect(await over).toBe(message);
    expect(body.told).toEqual(['release']);
    await upstream.closed(1);
    expect(upstream.bytes(1).toString().split('\r\n\r\n')[1] ?? '').toBe(sent);
    expect(upstream.requests).toEqual([]);
  });

  it('in chunks has none that says it is the last before it is', async () => {
    const body = new HandedBody();
    const over = send(body, -1);
    const sink = await body.wanted.promise;
    for (const piece of ['', 'bo', '', 'dy']) sink.take(Buffer.from(piece));
    sink.end();
    expect(await over).toBe(200);
    expect((await upstream.request(0)).body.toString()).toBe('body');
  });

  it.each<[string, Answer, number | string]>([
    [
      'an answer that comes before all of it',
      raw('HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n', 'head'),
      413,
    ],
    ['a reset', reset('head'), expect.any(String)],
  ])('is let go of after %s, and its connection with it', async (_what, reply, result) => {
    // The connection has served another before.
    expect(await send(Buffer.from('first'), 5)).toBe(200);
    upstream.on('/up', reply);
    const body = new HandedBody();
    const over = send(body, 4);
    (await body.wanted.promise).take(Buffer.from('bo'));
    expect(await over).toEqual(result);
    expect(body.told).toEqual(['release']);
    upstream.on('/up', answer(201));
    const next = new HandedBody();
    const answered = send(next, 4);
    const sink = await next.wanted.promise;
    sink.take(Buffer.from('next'));
    sink.end();
    expect(await answered).toBe(201);
    expect([upstream.connections, upstream.requests.map(({ body }) => body.toString())]).toEqual([
      2,
      ['first', 'next'],
    ]);
  });

  it('that the upstream takes all of, and then says nothing to, is not waited for any longer than others', async () => {
    upstream.on(
      '/up',
      script(({ tunnel }) => tunnel(() => undefined), 'head'),
    );
    const bytes = Buffer.alloc(16 * 1_024 * 1_024);
    expect(await send(bodyAtHand([bytes]), bytes.length, 200)).toBe('no answer in time');
  });

  it('is let go of when it is complete, and its connection serves the next', async () => {
    const bodies = ['first', 'second'];
    for (const [at, text] of bodies.entries()) {
      const body = new HandedBody();
      const over = send(body, text.length);
      const sink = await body.wanted.promise;
      sink.take(Buffer.from(text));
      sink.end();
      expect(await over).toBe(200);
      expect([body.told, (await upstream.request(at)).body.toString()]).toEqual([['release'], text]);
    }
    expect(upstream.connections).toBe(1);
  });

  it.each([
    ['of a known length', 1_024 * 65_536, 65_536],
    ['in chunks', -1, 65_536],
    ['in small chunks', -1, 8_192],
  ])('%s stops while there is no room, and goes on when there is', async (_what, contentLength, size) => {
    const goOn = Promise.withResolvers<void>();
    upstream.on(
      '/up',
      script(({ socket }) => {
        socket.pause();
        void goOn.promise.then(() => socket.resume());
      }, 'head'),
    );
    const body = new HandedBody();
    void send(body, contentLength);
    const sink = await body.wanted.promise;
    const piece = Buffer.alloc(size);
    while (body.told.length === 0) {
      sink.take(piece);
      await setImmediate();
    }
    goOn.resolve();
    await body.resumed.promise;
    expect(body.told).toEqual(['pause', 'resume']);
  });

  describe('and its time:', () => {
    const RESPONSE = 1_000;
    const BODY_IDLE = 3_000;
    let clock: FakeClock;

    beforeEach(() => {
      clock = createFakeClock();
      pool.destroy();
      const connect = createConnector(upstream.origin, { servername: '' });
      pool = new ConnectionPool({ connect, connectTimeout: 5_000, keepAlive: 5_000, clock });
    });

    /** Hands on pieces until there is no room, and then lets the upstream read. */
    async function fill(body: HandedBody, letRead: () => void): Promise<BodySink> {
      const sink = await body.wanted.promise;
      while (body.told.length === 0) {
        sink.take(ALL_BYTES);
        await setImmediate();
      }
      letRead();
      await body.resumed.promise;
      return sink;
    }

    /** Reads nothing of the body until it is let; answers when all has come. */
    function reluctant(begin = ''): { readonly reply: Answer; readonly letRead: () => void } {
      const reading = Promise.withResolvers<void>();
      const reply = script(async ({ socket, tunnel, write }) => {
        tunnel((bytes) => {
          if (bytes.toString('latin1').endsWith('0\r\n\r\n'))
            void write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
        });
        socket.pause();
        if (begin !== '') await write(begin);
        await reading.promise;
        socket.resume();
      }, 'head');
      return { reply, letRead: reading.resolve };
    }

    it('the upstream’s is over when it has made room: it is the client’s then', async () => {
      const { reply, letRead } = reluctant();
      upstream.on('/up', reply);
      const body = new HandedBody();
      const over = send(body, -1, RESPONSE, BODY_IDLE);
      const sink = await fill(body, letRead);
      clock.advance(RESPONSE);
      sink.end();
      expect(await over).toBe(200);
    });

    it('the upstream’s does not begin while it takes what comes', async () => {
      const { reply, letRead } = reluctant();
      letRead();
      upstream.on('/up', reply);
      const body = new HandedBody();
      const over = send(body, -1, RESPONSE, BODY_IDLE);
      const sink = await body.wanted.promise;
      sink.take(Buffer.from('a little'));
      clock.advance(RESPONSE);
      sink.end();
      expect(await over).toBe(200);
    });

    it('the answer’s goes on, once it has begun, whether there is room or not', async () => {
      const { reply, letRead } = reluctant('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
      upstream.on('/up', reply);
      const body = new HandedBody();
      const over = send(body, -1, RESPONSE, BODY_IDLE);
      await begun.promise;
      await fill(body, letRead);
      clock.advance(BODY_IDLE - 1);
      expect(body.told).not.toContain('release');
      clock.advance(1);
      expect(await over).toBe('the answer stopped coming');
    });
  });
});
