import { LRUCache } from 'lru-cache';
import type { Clock } from '../core/ports.ts';
import { count } from './leaky-count.ts';
import { counterName, type RateStore } from './rate-store.ts';

/**
 * Keeps the counts in this process, and answers at once. Memory is bounded: when there are too many callers, those who
 * have been silent for longest are forgotten, which the busy ones never are.
 * @param entries the most callers remembered, over all limits
 */
export function createMemoryStore(entries: number, clock: Clock): RateStore {
  /** When each bucket will be empty; made when there is something to remember, since it takes its room at once. */
  let buckets: LRUCache<string, number> | null = null;
  return {
    take(limit, who) {
      buckets ??= new LRUCache<string, number>({ max: entries });
      const key = `${counterName(limit)}:${who}`;
      const counted = count(limit, buckets.get(key) ?? 0, Math.floor(clock.monotonic() * 1000));
      if (counted.allowed) buckets.set(key, counted.emptyAt);
      return counted;
    },
    timeout: 0,
    get entries() {
      return buckets?.size ?? 0;
    },
    start: () => Promise.resolve(),
    stop: () => undefined,
  };
}
