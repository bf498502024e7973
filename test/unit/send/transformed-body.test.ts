import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { TransformedBody } from '../../../src/send/transformed-body.ts';
import { BodyWitness, ScriptedBody } from '../../support/body-doubles.ts';

type Transform = ConstructorParameters<typeof TransformedBody>[1];

/** A piece as large as what a stream holds before it counts as full. */
const LARGE = Buffer.alloc(65_536, 'x');

async function* louder(content: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  for await (const piece of content) yield Buffer.from(piece.toString().toUpperCase());
  yield Buffer.from('!');
}

const unchanged: Transform = (content) => content;

describe('a body that is transformed on its way', () => {
  it('is what the transform makes of it', async () => {
    const source = new ScriptedBody((sink) => sink.take(Buffer.from('at hand')));
    const sink = new BodyWitness();
    new TransformedBody(source, louder).flow(sink);
    await setImmediate();
    source.sink.take(Buffer.from('later'));
    source.sink.end();
    await setImmediate();
    expect(sink.told).toEqual(['AT HAND', 'LATER', '!', '(end)']);
  });

  it('is not asked for before somebody reads it', async () => {
    let begun = false;
    const source = new ScriptedBody();
    new TransformedBody(source, async function* (content) {
      begun = true;
      yield* content;
    });
    await setImmediate();
    expect(begun).toBe(false);
    expect(() => source.sink).toThrow('nobody has asked');
    expect(source.asked).toEqual([]);
  });

  it('rests while it is paused, and its source with it', async () => {
    const source = new ScriptedBody();
    const sink = new BodyWitness();
    const body = new TransformedBody(source, unchanged);
    body.flow(sink);
    await setImmediate();
    body.pause();
    for (let i = 0; i < 4; i++) {
      source.sink.take(LARGE);
      await setImmediate();
    }
    expect(sink.told).toEqual([]);
    expect(source.asked.at(-1)).toBe('pause');
    body.resume();
    await setImmediate();
    expect(sink.told.join('')).toHaveLength(4 * LARGE.length);
    expect(source.asked.at(-1)).toBe('resume');
  });

  const broken = new Error('broken');
  it.each<[string, Transform, (source: ScriptedBody) => void, readonly (string | Error)[]]>([
    ['its source fails', louder, ({ sink }) => sink.fail(broken), ['FIRST', broken]],
    [
      'the transform fails',
      async function* (content) {
        for await (const piece of content) {
          if (piece.toString().startsWith('second')) throw broken;
          yield piece;
        }
      },
      ({ sink }) => {
        sink.take(Buffer.from('second'));
        sink.take(Buffer.from('third'));
        sink.end();
      },
      ['first', broken],
    ],
  ])('fails when %s, and nothing comes after that', async (_what, transform, go, told) => {
    const source = new ScriptedBody((sink) => sink.take(Buffer.from('first')));
    const sink = new BodyWitness();
    new TransformedBody(source, transform).flow(sink);
    await setImmediate();
    go(source);
    await setImmediate();
    expect(sink.told).toEqual(told);
  });

  it('fails when its source does before the transform reads it', async () => {
    const sink = new BodyWitness();
    const asked = Promise.withResolvers<void>();
    const source = new ScriptedBody((to) => to.fail(broken));
    new TransformedBody(source, async function* (content) {
      await asked.promise;
      yield* content;
    }).flow(sink);
    await setImmediate();
    asked.resolve();
    await setImmediate();
    expect(sink.told).toEqual([broken]);
  });

  it.each<[string, Transform]>([
    ['waits for more', unchanged],
    [
      'has more to give',
      async function* (content) {
        for await (const _ of content) for (let i = 0; i < 1_000; i++) yield LARGE;
      },
    ],
  ])('given up while the transform %s: both ends are let go of', async (_what, transform) => {
    const source = new ScriptedBody((sink) => sink.take(Buffer.from('first')));
    const sink = new BodyWitness();
    let ended = false;
    const body = new TransformedBody(source, async function* (content) {
      try {
        yield* transform(content);
      } finally {
        ended = true;
      }
    });
    body.flow(sink);
    await setImmediate();
    body.pause();
    const before = sink.told.length;
    body.release();
    body.release();
    await setImmediate();
    expect(sink.told).toHaveLength(before);
    expect(source.asked).toContain('release');
    expect(ended).toBe(true);
  });
});
