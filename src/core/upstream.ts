import type { SigningPlan } from './signing.ts';

/** A service that requests are forwarded to, with the addresses it can be reached at. */
export interface Upstream {
  readonly name: string;
  readonly targets: readonly Target[];
  /** Whose Host header it sees. */
  readonly host: 'upstream' | 'client';
  readonly retries: number;
  /** The index of the target whose turn it is. */
  next: number;
  /** How its requests are signed; null: not at all. */
  readonly sign: SigningPlan | null;
}

/** One address of an upstream, with what passive health checking knows of it. */
export interface Target {
  /** Scheme, host and port. */
  readonly origin: string;
  /** Host and port as the Host header says them. */
  readonly authority: string;
  /** Path of the configured URL without its trailing slash; usually empty. */
  readonly basePath: string;
  /** Failures since the last answer. */
  failures: number;
  /** Monotonic milliseconds until which others are preferred. */
  ejectedUntil: number;
}
