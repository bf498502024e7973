import { connect, type Socket } from 'node:net';

/** An answer, as far as the soak looks at it. */
export interface SoakAnswer {
  readonly status: number;
  readonly body: string;
}

/** Why no whole answer came. */
export type Loss = 'closed' | 'late' | 'refused';

/** Milliseconds for an answer; the slowest kinds take a few seconds. */
const PATIENCE = 15_000;

/**
 * A client's connection that carries one request after another. It reads no more of HTTP than the answers under way here have: a
 * length, or none for 204.
 */
export class SoakConnection {
  readonly socket: Socket;
  /** Whether another request may be sent. */
  open = true;
  #received: Buffer[] = [];
  #missing = -1;
  #status = 0;
  #done: ((answer: SoakAnswer | Loss) => void) | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.setNoDelay(true);
    this.socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    this.socket.on('error', (error: NodeJS.ErrnoException) =>
      this.#finish(error.code === 'ECONNREFUSED' ? 'refused' : 'closed'),
    );
    this.socket.on('close', () => {
      this.open = false;
      this.#finish('closed');
    });
  }

  /** Sends a request, or the beginning of one, and waits for its answer. */
  ask(bytes: Buffer | string): Promise<SoakAnswer | Loss> {
    this.#received = [];
    this.#missing = -1;
    return new Promise((resolve) => {
      this.#done = resolve;
      this.#timer = setTimeout(() => {
        this.#finish('late');
        this.socket.destroy();
      }, PATIENCE);
      this.socket.write(bytes);
    });
  }

  send(bytes: Buffer | string): void {
    this.socket.write(bytes);
  }

  close(): void {
    this.open = false;
    this.socket.destroy();
  }

  reset(): void {
    this.open = false;
    this.socket.resetAndDestroy();
  }

  #receive(chunk: Buffer): void {
    this.#received.push(chunk);
    if (this.#missing < 0) this.#readHead();
    else this.#missing -= chunk.length;
    if (this.#missing !== 0) return;
    const bytes = this.#received.length === 1 ? (this.#received[0] as Buffer) : Buffer.concat(this.#received);
    const body = bytes.toString('latin1', bytes.indexOf('\r\n\r\n') + 4);
    this.#finish({ status: this.#status, body });
  }

  #readHead(): void {
    const bytes = this.#received.length === 1 ? (this.#received[0] as Buffer) : Buffer.concat(this.#received);
    const end = bytes.indexOf('\r\n\r\n');
    if (end < 0) return;
    const head = bytes.toString('latin1', 0, end + 2);
    this.#status = Number(head.slice(9, 12));
    const length = /\r\ncontent-length: (\d+)\r\n/i.exec(head)?.[1];
    if (/\r\nconnection: close\r\n/i.test(head)) this.open = false;
    this.#missing = Number(length ?? 0) - (bytes.length - end - 4);
    // More than was asked for is somebody else's.
    if (this.#missing < 0) this.#finish('closed');
  }

  #finish(result: SoakAnswer | Loss): void {
    const done = this.#done;
    if (done === null) return;
    this.#done = null;
    if (this.#timer !== null) clearTimeout(this.#timer);
    done(result);
  }
}
