import type { RateLimit } from '../core/rate-limit.ts';

/** What a count has come to. */
export interface Tally {
  readonly allowed: boolean;
  /** Requests that would be let through if they came now. */
  readonly remaining: number;
  /** Milliseconds until one more would be. */
  readonly next: number;
}

/** Keeps the counts. */
export interface RateStore {
  /**
   * Counts a request, unless it is one too many. A promise where the counts are kept elsewhere; it rejects when they are out of
   * reach.
   * @param who asks: one of those that the limit counts apart
   */
  take(limit: RateLimit, who: string): Tally | Promise<Tally>;
  /** Milliseconds for which a promise is waited for. */
  readonly timeout: number;
  /** Callers remembered in this process. */
  readonly entries: number;
  /** Resolves when it can be asked, or is not to be reached for now. */
  start(): Promise<void>;
  stop(): void;
}

/** The name of a count, wherever it is kept. With the numbers in it, so that a limit that is changed starts anew. */
export function counterName({ route, requests, per, burst }: RateLimit): string {
  return `${route}:${requests}/${per}/${burst}`;
}
