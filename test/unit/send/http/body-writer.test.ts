import type { Socket } from 'node:net';
import { Writable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { BodySink } from '../../../../src/send/http/body-source.ts';
import { type BodyOwner, BodyWriter, writeWhole } from '../../../../src/send/http/body-writer.ts';
import { ScriptedBody } from '../../../support/body-doubles.ts';

const HEAD = 'POST / HTTP/1.1\r\n\r\n';
const SMALL = 8_192;
const CHUNKED = -1;

/**
 * What a socket gives the kernel, as text: one entry for each time that it does.
 * @param taken whether the kernel takes it
 */
function makeSocket(highWaterMark = 65_536, taken = true): { socket: Socket; writes: string[] } {
  const writes: string[] = [];
  const text = (chunk: Buffer | string): string =>
    typeof chunk === 'string' ? chunk : chunk.toString('latin1');
  const socket = new Writable({
    highWaterMark,
    decodeStrings: false,
    write(chunk, _encoding, callback) {
      writes.push(text(chunk));
      if (taken) callback();
    },
    writev(chunks, callback) {
      writes.push(chunks.map(({ chunk }) => text(chunk)).join(''));
      if (taken) callback();
    },
  });
  return { socket: socket as Socket, writes };
}

/** Writes down what it is told. */
class Owner implements BodyOwner {
  readonly told: string[] = [];

  bodySent(bytes: number, hasRoom: boolean): void {
    this.told.push(`sent ${bytes}${hasRoom ? '' : ', full'}`);
  }

  bodyComplete(): void {
    this.told.push('complete');
  }

  bodyFailed(error: Error): void {
    this.told.push(error.message);
  }
}

/** Hands on pieces of so many bytes, and the end. */
const whole =
  (...sizes: readonly number[]) =>
  (sink: BodySink): void => {
    for (const size of sizes) sink.take(Buffer.alloc(size, 'x'));
    sink.end();
  };
const nothing = (): void => undefined;
const x = (count: number): string => 'x'.repeat(count);
const framed = (count: number): string => `${count.toString(16)}\r\n${x(count)}\r\n`;
const LAST = '0\r\n\r\n';

describe('a header section and its body', () => {
  it.each([
    ['known, at hand', 4, whole(4), nothing, [HEAD + x(4)]],
    ['known, at hand in two', 8, whole(4, 4), nothing, [HEAD + x(4), x(4)]],
    ['known, later', 4, nothing, whole(4), [HEAD, x(4)]],
    ['known, small', SMALL, whole(SMALL), nothing, [HEAD + x(SMALL)]],
    ['known, large', SMALL + 1, whole(SMALL + 1), nothing, [HEAD + x(SMALL + 1)]],
    ['known to be none', 0, whole(), nothing, [HEAD]],
    ['chunked, at hand', CHUNKED, whole(4), nothing, [HEAD + framed(4), LAST]],
    ['chunked, later', CHUNKED, nothing, whole(4), [HEAD, framed(4), LAST]],
    ['chunked, small', CHUNKED, whole(SMALL), nothing, [HEAD + framed(SMALL), LAST]],
    ['chunked, large', CHUNKED, whole(SMALL + 1), nothing, [HEAD + framed(SMALL + 1), LAST]],
    ['chunked, none', CHUNKED, whole(), nothing, [HEAD + LAST]],
    // A chunk of no bytes would be the last.
    ['chunked, with an empty piece', CHUNKED, whole(0, 4), nothing, [HEAD + framed(4), LAST]],
  ])('%s: leave in as few writes as can be', async (_what, length, atHand, later, expected) => {
    const { socket, writes } = makeSocket();
    const owner = new Owner();
    const body = new ScriptedBody(atHand);
    new BodyWriter(owner, socket, HEAD, body, length);
    expect(writes).toEqual([]);
    await setImmediate();
    later(body.sink);
    await setImmediate();
    expect(writes).toEqual(expected);
    expect(owner.told.at(-1)).toBe('complete');
    expect(body.asked).toEqual(['release']);
  });

  it.each([
    ['known', 256],
    ['chunked', CHUNKED],
  ])('of %s length: every byte is as it was', async (_what, length) => {
    const { socket, writes } = makeSocket();
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    new BodyWriter(new Owner(), socket, HEAD, new ScriptedBody((sink) => sink.take(bytes)), length);
    await setImmediate();
    expect(writes.join('')).toContain(bytes.toString('latin1'));
  });

  it.each([
    ['known, joined', SMALL, SMALL, HEAD.length + SMALL],
    ['known, in one writev', SMALL + 1, SMALL + 1, HEAD.length + SMALL + 1],
    ['chunked, joined', SMALL, CHUNKED, HEAD.length + framed(SMALL).length],
    ['chunked, in one writev', SMALL + 1, CHUNKED, HEAD.length + framed(SMALL + 1).length],
  ])('%s: rests when the socket is full, to the byte', async (_what, size, length, total) => {
    for (const [mark, full] of [
      [total, true],
      [total + 1, false],
    ] as const) {
      const { socket } = makeSocket(mark, false);
      const owner = new Owner();
      const body = new ScriptedBody((sink) => sink.take(Buffer.alloc(size)));
      const writer = new BodyWriter(owner, socket, HEAD, body, length);
      await setImmediate();
      expect(socket.writableNeedDrain).toBe(full);
      expect(owner.told).toEqual([`sent ${size}${full ? ', full' : ''}`]);
      writer.resume();
      expect(body.asked).toEqual(full ? ['pause', 'resume'] : ['resume']);
    }
  });

  it.each([
    [
      'longer than said',
      6,
      whole(4, 4),
      [HEAD + x(4)],
      ['sent 4', 'the body is longer than its Content-Length'],
    ],
    ['longer at once', 2, whole(4), [], ['the body is longer than its Content-Length']],
    [
      'shorter than said',
      6,
      whole(4),
      [HEAD + x(4)],
      ['sent 4', 'the body is shorter than its Content-Length'],
    ],
    ['none of it', 6, whole(), [], ['the body is shorter than its Content-Length']],
    ['broken off', 6, (sink: BodySink) => sink.fail(new Error('aborted')), [], ['aborted']],
    ['broken off, chunked', CHUNKED, (sink: BodySink) => sink.fail(new Error('aborted')), [], ['aborted']],
  ])('%s: fails, once, and nothing more is written', async (_what, length, come, written, told) => {
    const { socket, writes } = makeSocket();
    const owner = new Owner();
    let body: ScriptedBody | null = null;
    body = new ScriptedBody((sink) => {
      // Once it is released, nothing more comes.
      come({
        take: (piece) => body?.asked.includes('release') || sink.take(piece),
        end: () => body?.asked.includes('release') || sink.end(),
        fail: (error) => sink.fail(error),
      });
    });
    new BodyWriter(owner, socket, HEAD, body, length);
    await setImmediate();
    expect([writes, owner.told, body.asked]).toEqual([written, told, ['release']]);
  });

  it('write nothing once they are given up', async () => {
    const { socket, writes } = makeSocket();
    const owner = new Owner();
    const body = new ScriptedBody();
    const writer = new BodyWriter(owner, socket, HEAD, body, 4);
    writer.stop();
    writer.stop();
    await setImmediate();
    expect([writes, owner.told, body.asked]).toEqual([[], [], ['release']]);
  });
});

describe('a body that is whole', () => {
  it.each([0, 1, SMALL, SMALL + 1])('of %i bytes leaves in one write with its header section', (size) => {
    const { socket, writes } = makeSocket();
    const body = Buffer.alloc(size, 0xe4);
    writeWhole(socket, HEAD, body);
    expect(writes).toEqual([HEAD + body.toString('latin1')]);
  });
});
