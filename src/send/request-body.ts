import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

/**
 * The client's body on loan to the HTTP client, which destroys what it was given as soon as it has no more use for it: after an
 * early answer, after a failure. The request must outlive that, because there may be an answer to write on its connection
 * and the rest of a body to read and throw away. Destroying this lets go of the request and leaves it as it is.
 */
export class RequestBody extends Readable {
  readonly #request: IncomingMessage;
  readonly #limit: number;
  readonly #onTooLong: () => void;
  #bytes = 0;
  #attached = false;

  /**
   * @param limit bytes handed on at most; null: no limit
   * @param onTooLong called, once, instead of handing on a chunk beyond the limit
   */
  constructor(request: IncomingMessage, limit: number | null, onTooLong: () => void) {
    super();
    this.#request = request;
    this.#limit = limit ?? Number.POSITIVE_INFINITY;
    this.#onTooLong = onTooLong;
    // Whoever reads it may have stopped listening when the client breaks off.
    this.on('error', () => undefined);
  }

  /** Whether the next byte is the client's to send: all that came has been taken over. */
  get awaitsClient(): boolean {
    return this.#attached && !this.#request.isPaused();
  }

  override _read(): void {
    if (!this.#attached) {
      this.#attached = true;
      this.#request.on('data', this.#onData).on('end', this.#onEnd).on('error', this.#onError);
    }
    this.#request.resume();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#request.off('data', this.#onData).off('end', this.#onEnd).off('error', this.#onError);
    callback(error);
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#bytes += chunk.length;
    if (this.#bytes > this.#limit) {
      this.#request.off('data', this.#onData);
      this.#onTooLong();
    } else if (!this.push(chunk)) {
      this.#request.pause();
    }
  };

  readonly #onEnd = (): void => {
    this.push(null);
  };

  readonly #onError = (error: Error): void => {
    this.destroy(error);
  };
}
