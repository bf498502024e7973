import type { Socket } from 'node:net';
import type { BodySink, BodySource } from './body-source.ts';

/** Told of a body on its way. */
export interface BodyOwner {
  /**
   * A piece was given to the socket.
   * @param bytes of the body, without what frames it
   * @param hasRoom whether the socket takes more; if not, the body rests until {@link BodyWriter.resume}
   */
  bodySent(bytes: number, hasRoom: boolean): void;
  /** All of it was given to the socket. */
  bodyComplete(): void;
  bodyFailed(error: Error): void;
}

/** Bytes of a piece up to which it costs less to copy it behind what comes before than to give the socket both. */
const JOINED_BYTES = 8_192;

/** Writes a header section, and a whole body behind it. */
export function writeWhole(socket: Socket, head: string, body: Buffer): void {
  if (body.length <= JOINED_BYTES) {
    socket.write(head + body.toString('latin1'), 'latin1');
    return;
  }
  socket.cork();
  socket.write(head, 'latin1');
  socket.write(body);
  socket.uncork();
}

/** Writes a header section and the body that follows it, no faster than the upstream takes it. */
export class BodyWriter implements BodySink {
  readonly #owner: BodyOwner;
  readonly #socket: Socket;
  readonly #body: BodySource;
  readonly #chunked: boolean;
  /** Empty once it is written. */
  #head: string;
  /** Bytes still to come, where the length is known. */
  #left: number;
  #over = false;

  /** @param contentLength bytes; -1: chunked */
  constructor(owner: BodyOwner, socket: Socket, head: string, body: BodySource, contentLength: number) {
    this.#owner = owner;
    this.#socket = socket;
    this.#head = head;
    this.#body = body;
    this.#chunked = contentLength < 0;
    this.#left = contentLength;
    body.flow(this);
    // What has come of the body with its own header section is handed on before this, and they go out in one.
    process.nextTick(BodyWriter.#writeHead, this);
  }

  /** Lets go of body and socket; the body is of no more use. */
  stop(): void {
    if (this.#over) return;
    this.#over = true;
    this.#body.release();
  }

  /** There is room again. */
  resume(): void {
    this.#body.resume();
  }

  take(piece: Buffer): void {
    const size = piece.length;
    if (size === 0) return;
    if (!this.#chunked) {
      this.#left -= size;
      if (this.#left < 0) {
        this.fail(new Error('the body is longer than its Content-Length'));
        return;
      }
    }
    const before = this.#chunked ? `${this.#takeHead()}${size.toString(16)}\r\n` : this.#takeHead();
    const after = this.#chunked ? '\r\n' : '';
    const hasRoom = this.#write(before, piece, after);
    if (!hasRoom) this.#body.pause();
    this.#owner.bodySent(size, hasRoom);
  }

  end(): void {
    if (!this.#chunked && this.#left > 0) {
      this.fail(new Error('the body is shorter than its Content-Length'));
      return;
    }
    this.stop();
    const last = this.#takeHead() + (this.#chunked ? '0\r\n\r\n' : '');
    if (last !== '') this.#socket.write(last, 'latin1');
    this.#owner.bodyComplete();
  }

  fail(error: Error): void {
    if (this.#over) return;
    this.stop();
    this.#owner.bodyFailed(error);
  }

  /** Writes the header section if no piece of the body has taken it along. */
  static #writeHead(writer: BodyWriter): void {
    if (writer.#over || writer.#head === '') return;
    writer.#socket.write(writer.#takeHead(), 'latin1');
  }

  #takeHead(): string {
    const head = this.#head;
    this.#head = '';
    return head;
  }

  /** @returns whether there is room for more */
  #write(before: string, piece: Buffer, after: string): boolean {
    const socket = this.#socket;
    if (before === '') return socket.write(piece);
    if (piece.length <= JOINED_BYTES) {
      return socket.write(before + piece.toString('latin1') + after, 'latin1');
    }
    socket.cork();
    socket.write(before, 'latin1');
    let hasRoom = socket.write(piece);
    if (after !== '') hasRoom = socket.write(after, 'latin1');
    socket.uncork();
    return hasRoom;
  }
}
