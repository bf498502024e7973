import type { ErrorCode } from './errors.ts';
import type { KeyObserver } from './ports.ts';
import type { CredentialObserver } from './signing.ts';

/** What the rooms report as it happens, for metrics; requests are observed by the last stage. */
export interface Observer extends KeyObserver, CredentialObserver {
  tokenCacheUsed(result: 'hit' | 'miss'): void;
  /** See {@link RefusedConnection}. */
  connectionRefused(code: ErrorCode): void;
  /** What came of a question to a store of rate limits outside this process. */
  rateStoreAsked(result: 'success' | 'failure'): void;
}

/** A refusal of what never became a request, such as a connection too many. */
export interface RefusedConnection {
  readonly code: ErrorCode;
  /** As in the answer; empty where none could be sent. */
  readonly requestId: string;
  /** Address of the socket's other end. */
  readonly client: string;
}

/** What metrics ask for when they are read. */
export interface Gauges {
  inFlight(): number;
  tokenCacheEntries(): number;
  /** Seconds, by user pool. */
  keyAges(): ReadonlyMap<string, number>;
  /** Seconds between two fetches, by user pool. */
  keyRefreshes(): ReadonlyMap<string, number>;
  /** Of clients. */
  connections(): number;
  webSockets(): number;
  /** By upstream. */
  upstreamConnections(): ReadonlyMap<string, number>;
  /** By upstream, of those that have any: addresses that failed several times in a row and have not answered since. */
  failingAddresses(): ReadonlyMap<string, number>;
  /** By upstream, of those that have a limit: requests that it deals with, and those that wait for their turn. */
  admissions(): ReadonlyMap<string, { readonly underWay: number; readonly waiting: number }>;
}
