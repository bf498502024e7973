import type { KeyObject } from 'node:crypto';
import type { Refusal } from './refusal.ts';

/** Time, injected so that tests turn the hands. */
export interface Clock {
  /** Wall clock, milliseconds since the epoch: for claims. */
  now(): number;
  /** Milliseconds that never go back: for durations and timers. */
  monotonic(): number;
  /** Runs once after so many milliseconds; does not keep the process alive. */
  after(milliseconds: number, run: () => void): Timer;
}

export interface Timer {
  cancel(): void;
}

/** The keys of one issuer. */
export interface KeySource {
  /** The key with this id; undefined when it is not among the keys in use. */
  get(kid: string): KeyObject | undefined;
  /**
   * Asks for an unknown key: fetches the set again if that is due.
   * @returns the key, or why there is none: AUTHN_KEY_UNKNOWN or AUTHN_KEYS_UNAVAILABLE
   */
  find(kid: string): Promise<KeyObject | Refusal>;
}

/** Structured lines of log; fields come from an allow-list. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
