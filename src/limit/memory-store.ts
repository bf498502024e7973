import { LRUCache } from 'lru-cache';
import type { Clock } from '../core/ports.ts';
import type { RateQuestion, Tally } from '../core/rate-limit.ts';
import { count } from './leaky-count.ts';
import { countName, type RateStore } from './rate-store.ts';

/** A store that answers at once. */
export interface MemoryStore extends RateStore {
  take(question: RateQuestion): Tally;
}

/**
 * Keeps the counts in this process. Memory is bounded: when there are too many callers, those who have been silent for
 * longest are forgotten, which the busy ones never are.
 * @param entries the most callers remembered, over all limits
 */
export function createMemoryStore(entries: number, clock: Clock): MemoryStore {
  /** When each bucket will be empty; made when there is something to remember, since it takes its room at once. */
  let buckets: LRUCache<string, number> | null = null;
  return {
    take(question) {
      buckets ??= new LRUCache<string, number>({ max: entries });
      const name = countName(question);
      const now = Math.floor(clock.monotonic() * 1000);
      const { emptyAt, ...tally } = count(question.limit, buckets.get(name) ?? 0, now);
      if (tally.allowed) buckets.set(name, emptyAt);
      return tally;
    },
    timeout: 0,
    get entries() {
      return buckets?.size ?? 0;
    },
    start: () => Promise.resolve(),
    stop: () => undefined,
  };
}
