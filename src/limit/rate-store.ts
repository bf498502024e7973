import type { RateLimit, RateQuestion, Tally } from '../core/rate-limit.ts';

/** Keeps the counts. */
export interface RateStore {
  /**
   * Counts a request, unless it is one too many. A promise where the counts are kept elsewhere; it rejects when they are out of
   * reach.
   */
  take(question: RateQuestion): Tally | Promise<Tally>;
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

/** The name of one caller's count. */
export function countName({ limit, who }: RateQuestion): string {
  return `${counterName(limit)}:${who}`;
}
