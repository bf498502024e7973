import { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Exchange } from '../core/exchange.ts';

/** A response that knows its exchange, so that one shared listener serves all, and when its turn has come. */
export class ProxyResponse extends ServerResponse {
  /** Null until its turn has come. */
  exchange: Exchange | null = null;
  /** What to do when its turn comes; null where nothing on the connection is ahead of it. */
  whenFirst: (() => void) | null = null;

  /** Node gives a response the socket once all that were ahead of it are out. */
  override assignSocket(socket: Socket): void {
    super.assignSocket(socket);
    const begin = this.whenFirst;
    this.whenFirst = null;
    begin?.();
  }
}
