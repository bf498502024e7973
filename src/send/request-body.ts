import type { IncomingMessage } from 'node:http';
import type { BodySink, BodySource } from './http/body-source.ts';

/**
 * The client's body on loan to whoever sends it on, who lets go of it as soon as there is no more use for it: after an early answer,
 * after a failure. The request outlives that, because there may be an answer to write on its connection and the rest of a body to
 * read and throw away.
 */
export class RequestBody implements BodySource {
  readonly #request: IncomingMessage;
  readonly #limit: number;
  readonly #onTooLong: () => void;
  #sink: BodySink | null = null;
  #bytes = 0;

  /**
   * @param limit bytes handed on at most; null: no limit
   * @param onTooLong called, once, instead of handing on a piece beyond the limit; nothing comes after that
   */
  constructor(request: IncomingMessage, limit: number | null, onTooLong: () => void) {
    this.#request = request;
    this.#limit = limit ?? Number.POSITIVE_INFINITY;
    this.#onTooLong = onTooLong;
  }

  /** Whether the next byte is the client's to send: all that came has been taken over. */
  get awaitsClient(): boolean {
    return this.#sink !== null && !this.#request.isPaused();
  }

  flow(sink: BodySink): void {
    this.#sink = sink;
    this.#request.on('data', this.#onData).on('end', this.#onEnd).on('error', this.#onError);
  }

  pause(): void {
    this.#request.pause();
  }

  resume(): void {
    this.#request.resume();
  }

  release(): void {
    if (this.#sink === null) return;
    this.#sink = null;
    this.#request.off('data', this.#onData).off('end', this.#onEnd).off('error', this.#onError);
  }

  readonly #onData = (piece: Buffer): void => {
    this.#bytes += piece.length;
    if (this.#bytes <= this.#limit) {
      this.#sink?.take(piece);
      return;
    }
    this.release();
    this.#onTooLong();
  };

  readonly #onEnd = (): void => this.#sink?.end();

  readonly #onError = (error: Error): void => this.#sink?.fail(error);
}
