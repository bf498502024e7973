import type { KeyObject } from 'node:crypto';
import type { LogFields } from './log-fields.ts';
import type { Refusal } from './refusal.ts';
import type { Target, Upstream } from './upstream.ts';

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
  /** Starts the wait again from now; of no effect once it has run or is cancelled. */
  restart(): void;
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
  /** Whether keys have been had at least once. */
  readonly ready: boolean;
  /** Seconds since the keys in use were fetched; null while there are none. */
  age(): number | null;
  /** Seconds between two fetches in the background, while they go well. */
  readonly refresh: number;
  /** Begins to keep keys; called again, fetches them at once. */
  start(): void;
  stop(): void;
}

/** A key set as served, before it is read. */
export interface FetchedDocument {
  readonly document: string;
  /** Whether it was fetched after it was asked for; another process may have fetched it just before. */
  readonly fresh: boolean;
}

/**
 * Fetches a key set.
 * @param url of the document; a `file:` URL for a set on disk
 * @param timeout milliseconds for the whole fetch
 * @throws KeysAbsentError when there is nothing at that address, another Error when it cannot be had
 */
export type FetchKeyDocument = (url: string, timeout: number) => Promise<FetchedDocument>;

/** The endpoint answered that it has no keys: the issuer is not in use, or the pool does not exist. */
export class KeysAbsentError extends Error {
  override readonly name = 'KeysAbsentError';
}

/** Told of every fetch of keys. */
export interface KeyObserver {
  keysFetched(pool: string, result: 'success' | 'absent' | 'failure'): void;
}

/** Chooses among an upstream's addresses, and learns from what became of the requests. */
export interface Balancer {
  /** @param failed an address to avoid where there is another */
  choose(upstream: Upstream, failed?: Target): Target;
  /** It has answered, whatever the answer. */
  succeeded(target: Target): void;
  /** It could not be reached, dropped out, or said nothing. */
  failed(target: Target): void;
}

/** Structured lines of log. */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'silent';

/** A logger that can be emptied before the process ends. */
export interface ProcessLogger extends Logger {
  /** Whether lines of this level are written. */
  enabled(level: 'info' | 'warn' | 'error'): boolean;
  setLevel(level: LogLevel): void;
  /** Resolves when what was logged is written, or cannot be. */
  flush(): Promise<void>;
}
