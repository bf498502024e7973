import { Readable } from 'node:stream';
import type { OutboundRequest } from '../core/outbound.ts';
import type { BodySink, BodySource } from './http/body-writer.ts';

/** What a transform makes of a body, piece by piece. */
export class TransformedBody implements BodySource {
  readonly #pieces: Readable;
  readonly #content: Readable;
  #sink: BodySink | null = null;

  constructor(source: BodySource, transform: NonNullable<OutboundRequest['transform']>) {
    this.#pieces = readPieces(source);
    this.#content = Readable.from(transform(this.#pieces), { objectMode: false });
    // What is given up may fail late.
    this.#content.on('error', (error) => this.#sink?.fail(error));
  }

  flow(sink: BodySink): void {
    this.#sink = sink;
    this.#content
      .on('data', (piece: Buffer) => this.#sink?.take(piece))
      .on('end', () => this.#sink?.end())
      .on('close', () => this.#sink?.fail(new Error('the body broke off')));
  }

  pause(): void {
    this.#content.pause();
  }

  resume(): void {
    this.#content.resume();
  }

  release(): void {
    this.#sink = null;
    this.#content.destroy();
    // A transform that waits for a piece hears nothing of that, and would wait for ever.
    this.#pieces.destroy();
  }
}

/** A body as the stream that transforms read. */
function readPieces(source: BodySource): Readable {
  let flows = false;
  const stream = new Readable({
    read() {
      if (flows) {
        source.resume();
        return;
      }
      flows = true;
      source.flow({
        take(piece) {
          if (!stream.push(piece)) source.pause();
        },
        end: () => void stream.push(null),
        fail: (error) => void stream.destroy(error),
      });
    },
    destroy(error, callback) {
      source.release();
      callback(error);
    },
  });
  return stream;
}
