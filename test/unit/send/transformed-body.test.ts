import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { BodySink, BodySource } from '../../../src/send/http/body-writer.ts';
import { TransformedBody } from '../../../src/send/transformed-body.ts';

/** A body that a test hands on. */
class Source implements BodySource {
  readonly told: string[] = [];
  sink: BodySink | null = null;
  flow(sink: BodySink): void {
    this.told.push('flow');
    this.sink = sink;
  }
  pause(): void {
    this.told.push('pause');
  }
  resume(): void {
    this.told.push('resume');
  }
  release(): void {
    this.told.push('release');
  }
}

/** Writes down what it is told, and lets go of the body when that is over. */
class Witness implements BodySink {
  readonly told: string[] = [];
  readonly #release: () => void;
  constructor(release: () => void) {
    this.#release = release;
  }
  take(piece: Buffer): void {
    this.told.push(piece.length > 20 ? `${piece.length} bytes` : piece.toString());
  }
  end(): void {
    this.told.push('(end)');
    this.#release();
  }
  fail(error: Error): void {
    this.told.push(`(${error.message})`);
    this.#release();
  }
}

async function* inBrackets(content: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const piece of content) yield Buffer.from(`<${piece.toString()}>`);
  yield Buffer.from('.');
}

/** Turns enough for a piece to pass through all streams in between. */
async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await setImmediate();
}

function setUp(transform: (content: AsyncIterable<Buffer>) => AsyncIterable<Buffer> = inBrackets) {
  const source = new Source();
  const body = new TransformedBody(source, transform);
  const sink = new Witness(() => body.release());
  return { source, sink, body };
}

describe('a body that is transformed', () => {
  it('asks for nothing before somebody asks for it', async () => {
    const { source } = setUp();
    await settle();
    expect(source.told).toEqual([]);
  });

  it('is what the transform makes of it, as it comes', async () => {
    const { source, sink, body } = setUp();
    body.flow(sink);
    await settle();
    source.sink?.take(Buffer.from('a'));
    await settle();
    expect(sink.told).toEqual(['<a>']);
    source.sink?.take(Buffer.from('b'));
    source.sink?.end();
    await settle();
    expect(sink.told).toEqual(['<a>', '<b>', '.', '(end)']);
  });

  it('stops its source while it is paused, and asks for more when it is resumed', async () => {
    const { source, sink, body } = setUp((content) => content);
    body.flow(sink);
    await settle();
    body.pause();
    while (source.told.at(-1) !== 'pause') {
      source.sink?.take(Buffer.alloc(65_536));
      await settle();
    }
    const taken = sink.told.length;
    await settle();
    expect([sink.told.length, source.told.at(-1)]).toEqual([taken, 'pause']);
    body.resume();
    await settle();
    expect(sink.told.length).toBeGreaterThan(taken);
    expect(source.told.at(-1)).toBe('resume');
  });

  it('fails as its source fails, and lets go of it', async () => {
    const { source, sink, body } = setUp();
    body.flow(sink);
    await settle();
    source.sink?.take(Buffer.from('a'));
    source.sink?.fail(new Error('aborted'));
    await settle();
    expect(sink.told).toEqual(['(aborted)']);
    expect(source.told).toContain('release');
  });

  it('fails as the transform fails, and lets go of its source', async () => {
    const { source, sink, body } = setUp(async function* (content) {
      for await (const piece of content) {
        if (piece.toString() === 'bad') throw new Error('bad');
        yield piece;
      }
    });
    body.flow(sink);
    await settle();
    for (const piece of ['good', 'bad']) {
      source.sink?.take(Buffer.from(piece));
      await settle();
    }
    expect(sink.told).toEqual(['good', '(bad)']);
    expect(source.told).toContain('release');
  });

  it.each([
    ['while it waits for more', () => undefined],
    ['and its source fails late', (source: Source) => source.sink?.fail(new Error('late'))],
  ])('says nothing more once it is released, %s', async (_what, then) => {
    const { source, sink, body } = setUp();
    body.flow(sink);
    await settle();
    source.sink?.take(Buffer.from('a'));
    await settle();
    body.release();
    then(source);
    await settle();
    expect(sink.told).toEqual(['<a>']);
    expect(source.told).toContain('release');
  });
});
