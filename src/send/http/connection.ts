import type { Socket } from 'node:net';
import type { HeaderList } from '../../core/headers.ts';
import type { Clock, Timer } from '../../core/ports.ts';
import type { AnswerHead } from './answer-head.ts';
import { type AnswerEvents, AnswerReader } from './answer-reader.ts';
import type { BodySource } from './body-source.ts';
import { type BodyOwner, BodyWriter, writeWhole } from './body-writer.ts';
import type { Connector } from './connector.ts';
import { type RequestHead, writeRequestHead } from './request-head.ts';
import { UpstreamFault } from './upstream-fault.ts';

/** A request to be sent, with its body and how long its answer may take. */
export interface UpstreamRequest extends RequestHead {
  readonly body: BodySource | Buffer | null;
  /** Milliseconds from the request sent to the answer's header section. */
  readonly responseTimeout: number;
  /** Milliseconds between two pieces of the answer's body. */
  readonly bodyIdleTimeout: number;
}

/** Told what becomes of a request, as it happens. After `ended` or `failed` nothing more is said. */
export interface AnswerReceiver extends Omit<AnswerEvents, 'ended'> {
  /** The connection is there. False: the request is not wanted any more. */
  connected(): boolean;
  /** Bytes of the request's body have been given to the connection. */
  bodySent(bytes: number): void;
  /** All of the request has been given to the connection. */
  requestSent(): void;
  /** The answer is complete. */
  ended(trailers: HeaderList): void;
  failed(error: Error): void;
}

/** What a connection tells its pool. */
export interface ConnectionOwner {
  /** It can serve another request. */
  released(connection: Connection): void;
  removed(connection: Connection): void;
}

/** What all connections read into, one after another: whoever keeps some of it makes a copy. */
const READ_BUFFER = Buffer.allocUnsafeSlow(65_536);

const NEVER = Number.POSITIVE_INFINITY;

/**
 * One connection to an upstream. It has one request under way at a time, the next only when the answer is complete; and a
 * byte that comes while none is under way ends it, lest it be taken for the answer to whoever comes next.
 */
export class Connection implements AnswerEvents, BodyOwner {
  /** Whether it has been made. */
  open = false;
  /** Milliseconds for which the upstream keeps it while idle. */
  keepAlive = NEVER;
  /** Monotonic milliseconds until which it may be used again; its pool's to say. */
  idleUntil = 0;

  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #owner: ConnectionOwner;
  readonly #reader = new AnswerReader(this);

  /** Null while idle, together with its receiver. */
  #request: UpstreamRequest | null = null;
  #receiver: AnswerReceiver | null = null;
  #writer: BodyWriter | null = null;
  #requestSent = false;
  #persistent = true;
  #paused = false;

  /** Monotonic milliseconds at which the upstream is too late. */
  #deadline = NEVER;
  #timer: Timer | null = null;
  /** Monotonic milliseconds at which the timer goes off. */
  #timerAt = 0;

  /** @param connectTimeout milliseconds for the connection to be made */
  constructor(connect: Connector, connectTimeout: number, clock: Clock, owner: ConnectionOwner) {
    this.#clock = clock;
    this.#owner = owner;
    const onread = {
      buffer: READ_BUFFER,
      callback: (count: number, buffer: Uint8Array) => this.#read((buffer as Buffer).subarray(0, count)),
    };
    this.#socket = connect(onread, () => {
      this.open = true;
      this.#deadline = NEVER;
      this.#start();
    });
    this.#socket.on('error', (error) => this.#close(this.open ? lost(error.message, error) : error));
    this.#socket.on('end', () => {
      this.#reader.end();
      this.#close(lost('the upstream ended the connection'));
    });
    this.#socket.on('close', () => this.#close(lost('the connection is gone')));
    this.#socket.on('drain', () => this.#drained());
    this.#expectWithin(connectTimeout);
  }

  get destroyed(): boolean {
    return this.#socket.destroyed;
  }

  /** Sends a request: at once, or when the connection is made. */
  send(request: UpstreamRequest, receiver: AnswerReceiver): void {
    this.#request = request;
    this.#receiver = receiver;
    if (this.open) this.#start();
  }

  /** Gives up the receiver's request, and the connection with it; of no effect where that is over. */
  abort(receiver: AnswerReceiver, reason: Error): void {
    if (this.#receiver === receiver) this.#close(reason);
  }

  /** Reads no more of the receiver's answer until it is resumed. */
  pause(receiver: AnswerReceiver): void {
    if (this.#receiver !== receiver || this.#paused) return;
    this.#paused = true;
    this.#deadline = NEVER;
    this.#socket.pause();
  }

  resume(receiver: AnswerReceiver): void {
    if (this.#receiver !== receiver || !this.#paused) return;
    this.#paused = false;
    this.#expectAnswer();
    this.#socket.resume();
  }

  destroy(): void {
    this.#close(lost('the proxy closed the connection'));
  }

  interim(head: AnswerHead): void {
    this.#expectAnswer();
    this.#receiver?.interim(head);
  }

  answered(head: AnswerHead, body: string | null): void {
    this.#persistent = head.persistent;
    this.keepAlive = head.keepAlive;
    if (body === null) this.#expectAnswer();
    this.#receiver?.answered(head, body);
  }

  received(piece: Buffer): void {
    this.#expectAnswer();
    this.#receiver?.received(piece);
  }

  ended(trailers: HeaderList, clean: boolean): void {
    const receiver = this.#receiver;
    const reusable = clean && this.#persistent && this.#requestSent && this.#socket.writableLength === 0;
    // Its last piece was one too many for this client, which is of no concern to the next.
    if (reusable && this.#paused) this.#socket.resume();
    this.#letGo();
    if (reusable) this.#owner.released(this);
    else this.destroy();
    try {
      receiver?.ended(trailers);
    } catch (error) {
      receiver?.failed(error as Error);
    }
  }

  bodySent(bytes: number, hasRoom: boolean): void {
    // It is the upstream's turn only while it does not take what it is sent.
    if (!hasRoom && this.#reader.waiting && this.#request !== null) {
      this.#expectWithin(this.#request.responseTimeout);
    }
    this.#receiver?.bodySent(bytes);
  }

  bodyComplete(): void {
    this.#writer = null;
    if (this.#receiver !== null) this.#completeRequest(this.#receiver);
  }

  bodyFailed(error: Error): void {
    this.#close(error);
  }

  #start(): void {
    const receiver = this.#receiver;
    const request = this.#request;
    if (receiver === null || request === null) return;
    let head: string;
    try {
      if (!receiver.connected()) {
        this.#letGo();
        this.#owner.released(this);
        return;
      }
      head = writeRequestHead(request);
    } catch (error) {
      this.#close(error as Error);
      return;
    }
    this.#requestSent = false;
    this.#reader.expect(request.method);
    const { body, contentLength } = request;
    if (body === null) {
      this.#socket.write(head, 'latin1');
    } else if (Buffer.isBuffer(body)) {
      writeWhole(this.#socket, head, body);
      receiver.bodySent(body.length);
    } else {
      this.#writer = new BodyWriter(this, this.#socket, head, body, contentLength);
      return;
    }
    this.#completeRequest(receiver);
  }

  #drained(): void {
    if (this.#writer === null) return;
    if (this.#reader.waiting) this.#deadline = NEVER;
    this.#writer.resume();
  }

  #completeRequest(receiver: AnswerReceiver): void {
    this.#requestSent = true;
    if (this.#reader.waiting) this.#expectAnswer();
    receiver.requestSent();
  }

  /** @returns whether to go on reading */
  #read(bytes: Buffer): boolean {
    if (!this.#reader.expecting) {
      this.destroy();
      return false;
    }
    try {
      this.#reader.read(bytes);
    } catch (error) {
      this.#close(error as Error);
    }
    return !this.#paused && !this.#socket.destroyed;
  }

  /** The upstream's turn. */
  #expectAnswer(): void {
    const request = this.#request;
    if (request === null || this.#paused) return;
    if (!this.#reader.waiting) this.#expectWithin(request.bodyIdleTimeout);
    else if (this.#requestSent) this.#expectWithin(request.responseTimeout);
  }

  /** The timer is left to go off too early rather than set anew for each request. */
  #expectWithin(milliseconds: number): void {
    this.#deadline = this.#clock.monotonic() + milliseconds;
    if (this.#timer !== null && this.#timerAt <= this.#deadline) return;
    this.#timer?.cancel();
    this.#setTimer(milliseconds);
  }

  #setTimer(milliseconds: number): void {
    this.#timerAt = this.#clock.monotonic() + milliseconds;
    this.#timer = this.#clock.after(milliseconds, () => {
      this.#timer = null;
      const left = this.#deadline - this.#clock.monotonic();
      if (left <= 0) this.#close(this.#lateness());
      else if (left < NEVER) this.#setTimer(left);
    });
  }

  #lateness(): UpstreamFault {
    if (!this.open) return new UpstreamFault('UPSTREAM_TIMEOUT', 'no connection in time');
    if (!this.#reader.waiting) return new UpstreamFault('UPSTREAM_TIMEOUT', 'the answer stopped coming');
    return new UpstreamFault('UPSTREAM_TIMEOUT', 'no answer in time', { askAnother: false });
  }

  #letGo(): void {
    this.#writer?.stop();
    this.#writer = null;
    this.#request = null;
    this.#receiver = null;
    this.#paused = false;
    this.#deadline = NEVER;
    this.#reader.stop();
  }

  /** Of no effect the second time, but for telling. */
  #close(error: Error): void {
    const receiver = this.#receiver;
    this.#letGo();
    this.#timer?.cancel();
    this.#timer = null;
    this.#socket.destroy();
    this.#owner.removed(this);
    receiver?.failed(error);
  }
}

/** The connection was there and is no more. */
function lost(message: string, cause?: Error): UpstreamFault {
  return new UpstreamFault('UPSTREAM_RESET', message, { cause });
}
