import type { ServerResponse } from 'node:http';
import type { Clock, Timer } from '../core/ports.ts';
import { deny, type Refusal } from '../core/refusal.ts';
import type { RequestBody } from './request-body.ts';

/** What becomes of a client that does not send, or take, its bytes in time. */
export function clientLate(): Refusal {
  return deny('REQUEST_TIMEOUT');
}

/** What is held back until the client has taken what it was sent. */
interface Source {
  resume(): void;
}

/**
 * Watches that a client which is to send or take bytes of a body does so in time. Progress counts, not totals, and only
 * while it is the client's turn: neither an upstream that does not read nor an answer ahead in the pipeline is its fault.
 */
export class ClientWatch {
  readonly #response: ServerResponse;
  readonly #clock: Clock;
  readonly #idle: number;
  readonly #onIdle: () => void;
  #timer: Timer | null = null;
  #body: RequestBody | null = null;
  #paused: Source | null = null;
  #unsent = 0;
  #watchesDrain = false;

  /** @param idle milliseconds without progress after which `onIdle` is called */
  constructor(response: ServerResponse, clock: Clock, idle: number, onIdle: () => void) {
    this.#response = response;
    this.#clock = clock;
    this.#idle = idle;
    this.#onIdle = onIdle;
  }

  /** The client is to send a body. */
  expectBody(body: RequestBody): void {
    this.#body = body;
    this.#start();
  }

  bodyComplete(): void {
    this.#body = null;
    this.#rest();
  }

  /** The client is to take what is written before `paused` may go on. */
  expectDrain(paused: Source): void {
    this.#paused = paused;
    this.#unsent = this.#response.writableLength;
    this.#start();
    if (this.#watchesDrain) return;
    this.#watchesDrain = true;
    this.#response.on('drain', () => this.#drained());
  }

  /** A byte has moved. */
  moved(): void {
    this.#timer?.restart();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #drained(): void {
    const paused = this.#paused;
    this.#paused = null;
    this.#rest();
    paused?.resume();
  }

  #start(): void {
    if (this.#timer === null) this.#timer = this.#clock.after(this.#idle, () => this.#look());
    else this.#timer.restart();
  }

  /** Stops unless there is still something to wait for. */
  #rest(): void {
    if (this.#body === null && this.#paused === null) this.stop();
    else this.moved();
  }

  #look(): void {
    const sends = this.#body?.awaitsClient === true;
    const takes = this.#paused !== null && this.#response.socket !== null && !this.#hasTakenSome();
    if (sends || takes) {
      this.#onIdle();
      return;
    }
    this.#timer = null;
    this.#start();
  }

  /** Whether less is left to send than at the last look. */
  #hasTakenSome(): boolean {
    const before = this.#unsent;
    this.#unsent = this.#response.writableLength;
    return this.#unsent < before;
  }
}
