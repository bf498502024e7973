import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { deny, RefusalError } from '../../../src/core/refusal.ts';
import { createChunkDecoder } from '../../../src/sign/decode-chunks.ts';
import { createBodyHolder, type HoldOptions } from '../../../src/sign/hold-body.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

function setUp(limits: { bufferBytes?: number; bufferTotalBytes?: number } = {}) {
  const clock = createFakeClock();
  const holder = createBodyHolder({ clock, bufferBytes: 100, bufferTotalBytes: 250, idle: 1000, ...limits });
  const releases: (() => void)[] = [];
  const options = (length: number, bodyBytes: number | null = null): HoldOptions => ({
    length,
    bodyBytes,
    decoder: null,
    onRelease: (release) => void releases.push(release),
  });
  return { clock, holder, options, releases };
}

const codeOf = (result: object): unknown => ('code' in result ? result.code : result);

describe('a body that is held', () => {
  it('is whole, with its hash', async () => {
    const { clock, holder, options } = setUp();
    const source = Readable.from([Buffer.from('hel'), Buffer.from('lo')], { objectMode: false });
    expect(await holder.hold(source, options(5))).toEqual({
      bytes: Buffer.from('hello'),
      hash: createHash('sha256').update('hello').digest('hex'),
    });
    // However long the request then takes.
    clock.advance(1000);
    expect(holder.held).toBe(5);
  });

  it('in aws-chunked is what was in it', async () => {
    const { holder, options } = setUp();
    const decoder = createChunkDecoder({ decodedLength: 5, trailer: null });
    const source = Readable.from([Buffer.from('2\r\nhe\r\n3\r\nll'), Buffer.from('o\r\n0\r\n\r\n')], {
      objectMode: false,
    });
    const held = await holder.hold(source, { ...options(5), decoder });
    expect(held).toHaveProperty('bytes', Buffer.from('hello'));
    const broken = createChunkDecoder({ decodedLength: 5, trailer: null });
    const cut = Readable.from([Buffer.from('2\r\nhe\r\n')], { objectMode: false });
    expect(codeOf(await holder.hold(cut, { ...options(5), decoder: broken }))).toBe('SIGN_CHUNKS_INVALID');
  });

  it('of unknown length takes what it needs', async () => {
    const { holder, options, releases } = setUp();
    await holder.hold(
      Readable.from([Buffer.alloc(30), Buffer.alloc(30)], { objectMode: false }),
      options(-1),
    );
    expect(holder.held).toBe(60);
    releases[0]?.();
    expect(holder.held).toBe(0);
    releases[0]?.();
    expect(holder.held).toBe(0);
  });

  it.each([
    ['too large by its own word', 101, null, [], 'SIGN_BODY_TOO_LARGE'],
    ['too large for its route by its own word', 51, 50, [], 'LIMIT_BODY'],
    ['too large as it arrives', -1, null, [Buffer.alloc(60), Buffer.alloc(60)], 'SIGN_BODY_TOO_LARGE'],
    ['too large for its route as it arrives', -1, 50, [Buffer.alloc(60)], 'LIMIT_BODY'],
  ])('%s is refused, and takes no memory', async (_name, length, bodyBytes, pieces, code) => {
    const { holder, options } = setUp();
    const source = Readable.from(pieces, { objectMode: false });
    expect(codeOf(await holder.hold(source, options(length, bodyBytes)))).toBe(code);
    expect(holder.held).toBe(0);
  });

  it('must find room beside all others', async () => {
    const { holder, options, releases } = setUp();
    const slow = new PassThrough();
    const first = holder.hold(slow, options(100));
    void holder.hold(new PassThrough(), options(100));
    expect(holder.held).toBe(200);
    expect(codeOf(await holder.hold(new PassThrough(), options(51)))).toBe('LIMIT_BUFFER');
    expect(
      codeOf(await holder.hold(Readable.from([Buffer.alloc(51)], { objectMode: false }), options(-1))),
    ).toBe('LIMIT_BUFFER');
    // The one that was let in has its room, whoever came since.
    slow.end(Buffer.alloc(100));
    expect((await first) as object).toHaveProperty('hash');
    releases[0]?.();
    expect(holder.held).toBe(100);
    expect(
      (await holder.hold(Readable.from([Buffer.alloc(100)], { objectMode: false }), options(100))) as object,
    ).toHaveProperty('hash');
  });

  it('is given up when it stops moving, not while it moves', async () => {
    const { clock, holder, options } = setUp();
    const source = new PassThrough();
    const held = holder.hold(source, options(-1));
    for (let i = 0; i < 5; i++) {
      clock.advance(900);
      source.write('x');
      await new Promise(setImmediate);
    }
    clock.advance(1000);
    expect(codeOf(await held)).toBe('REQUEST_TIMEOUT');
    expect([holder.held, source.isPaused()]).toEqual([0, true]);
    // What still comes is nobody's, and takes no memory; nor does it end the process when it fails.
    source.resume();
    source.write('late');
    await new Promise(setImmediate);
    expect(holder.held).toBe(0);
    source.destroy(new Error('late'));
    await new Promise(setImmediate);
  });

  it.each([
    ['fails', (source: PassThrough) => source.destroy(new Error('aborted')), 'REQUEST_MALFORMED'],
    ['closes', (source: PassThrough) => source.destroy(), 'REQUEST_MALFORMED'],
    [
      'is refused on its way',
      (source: PassThrough) => source.destroy(new RefusalError(deny('SIGN_CHUNKS_INVALID'))),
      'SIGN_CHUNKS_INVALID',
    ],
  ])('that %s is refused', async (_name, end, code) => {
    const { holder, options } = setUp();
    const source = new PassThrough();
    const held = holder.hold(source, options(50));
    source.write('x');
    end(source);
    expect(codeOf(await held)).toBe(code);
    expect(holder.held).toBe(0);
  });

  it('that was gone before it was asked for is refused', async () => {
    const { holder, options } = setUp();
    const source = new PassThrough();
    source.destroy();
    await once(source, 'close');
    expect(codeOf(await holder.hold(source, options(50)))).toBe('REQUEST_MALFORMED');
    expect(holder.held).toBe(0);
  });
});
