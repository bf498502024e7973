import { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Exchange } from '../core/exchange.ts';

/** A response that knows its exchange, so that one shared listener serves all, and when its turn has come. */
export class ProxyResponse extends ServerResponse {
  /** Null until its turn has come. */
  exchange: Exchange | null = null;
  /** What to do when its turn comes; null where nothing on the connection is ahead of it. */
  whenFirst: (() => void) | null = null;
  /** How its connection is closed where the request is not over with the answer. */
  closeEarly: ((socket: Socket) => void) | null = null;
  /** Called when all of the answer is written, and the client has not taken all of it yet. */
  whenUntaken: ((response: ProxyResponse) => void) | null = null;

  /** Node gives a response the socket once all that were ahead of it are out. */
  override assignSocket(socket: Socket): void {
    super.assignSocket(socket);
    const begin = this.whenFirst;
    this.whenFirst = null;
    begin?.();
  }

  override end(chunk?: unknown, encoding?: unknown, callback?: unknown): this {
    super.end(chunk, encoding as BufferEncoding, callback as () => void);
    if (this.socket !== null && this.socket.writableLength > 0) this.whenUntaken?.(this);
    return this;
  }

  /** Node takes the socket back when the answer is out, and closes it if it was the last one. */
  override detachSocket(socket: Socket): void {
    super.detachSocket(socket);
    const { closeEarly } = this;
    if (this.req.complete || closeEarly === null) return;
    socket.destroySoon = () => closeEarly(socket);
    this.req.resume();
  }
}
