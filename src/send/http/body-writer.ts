import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';

export interface BodyWriterOptions {
  readonly socket: Socket;
  readonly body: Readable;
  /** Bytes; -1: chunked. */
  readonly contentLength: number;
  /** A chunk was given to the socket. */
  readonly onSent: (bytes: number, hasRoom: boolean) => void;
  /** There is room again. */
  readonly onRoom: () => void;
  /** All of the body was given to the socket. */
  readonly onComplete: () => void;
  readonly onError: (error: Error) => void;
}

/** Writes a body that streams behind the header section of its request, no faster than the upstream takes it. */
export class BodyWriter {
  readonly #options: BodyWriterOptions;
  #left: number;
  #over = false;

  constructor(options: BodyWriterOptions) {
    this.#options = options;
    this.#left = options.contentLength;
    const { body, socket } = options;
    socket.on('drain', this.#onDrain);
    body
      .on('data', this.#onData)
      .on('end', this.#onEnd)
      .on('error', this.#onError)
      .on('close', this.#onClose);
  }

  /** Lets go of body and socket; the body is of no more use. */
  stop(): void {
    if (this.#over) return;
    this.#over = true;
    const { body, socket } = this.#options;
    socket.off('drain', this.#onDrain);
    body.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose);
    // Its error listener stays: being destroyed may be one.
    body.destroy();
  }

  readonly #onData = (chunk: Buffer): void => {
    const { socket, contentLength, onSent, body } = this.#options;
    if (chunk.length === 0) return;
    let hasRoom: boolean;
    if (contentLength < 0) {
      socket.cork();
      socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1');
      socket.write(chunk);
      hasRoom = socket.write('\r\n', 'latin1');
      process.nextTick(uncork, socket);
    } else {
      this.#left -= chunk.length;
      if (this.#left < 0) {
        this.#onError(new Error('the body is longer than its Content-Length'));
        return;
      }
      hasRoom = socket.write(chunk);
    }
    if (!hasRoom) body.pause();
    onSent(chunk.length, hasRoom);
  };

  readonly #onDrain = (): void => {
    this.#options.onRoom();
    this.#options.body.resume();
  };

  readonly #onEnd = (): void => {
    const { socket, contentLength, onComplete } = this.#options;
    if (contentLength >= 0 && this.#left > 0) {
      this.#onError(new Error('the body is shorter than its Content-Length'));
      return;
    }
    this.stop();
    if (contentLength < 0) socket.write('0\r\n\r\n', 'latin1');
    onComplete();
  };

  readonly #onError = (error: Error): void => {
    if (this.#over) return;
    this.stop();
    this.#options.onError(error);
  };

  readonly #onClose = (): void => this.#onError(new Error('the body broke off'));
}

/** For process.nextTick. */
export function uncork(socket: Socket): void {
  socket.uncork();
}
