import { Readable } from 'node:stream';
import type { OutboundRequest } from '../core/outbound.ts';
import type { BodySink, BodySource } from './http/body-source.ts';

/** What a transform makes of a body. */
export class TransformedBody implements BodySource {
  readonly #source: BodySource;
  /** The source as the stream that transforms read. */
  readonly #pieces: Readable;
  /** What comes of it; nothing is transformed before somebody reads this. */
  readonly #content: Readable;
  #sink: BodySink | null = null;

  constructor(source: BodySource, transform: NonNullable<OutboundRequest['transform']>) {
    this.#source = source;
    // It may fail before the transform reads it, which the transform then learns.
    this.#pieces = new Readable({ read: () => source.resume() }).on('error', () => undefined);
    this.#content = Readable.from(transform(this.#pieces), { objectMode: false });
  }

  flow(sink: BodySink): void {
    this.#sink = sink;
    this.#source.flow({
      take: (piece) => {
        if (!this.#pieces.push(piece)) this.#source.pause();
      },
      end: () => void this.#pieces.push(null),
      fail: (error) => void this.#pieces.destroy(error),
    });
    // They stay when it is released: what is given up may fail late.
    this.#content
      .on('data', (piece: Buffer) => this.#sink?.take(piece))
      .on('end', () => this.#sink?.end())
      .on('error', (error) => this.#sink?.fail(error));
  }

  pause(): void {
    this.#content.pause();
  }

  resume(): void {
    this.#content.resume();
  }

  release(): void {
    this.#sink = null;
    this.#source.release();
    // The transform may be waiting for more: that there is none lets it end.
    this.#pieces.destroy();
    this.#content.destroy();
  }
}
