import { LRUCache } from 'lru-cache';
import type { Clock } from '../core/ports.ts';
import type { RateQuestion, Tally } from '../core/rate-limit.ts';
import { countName } from './rate-store.ts';

/** Callers remembered, at most; the latest are kept. */
const REMEMBERED = 10_000;

/**
 * Remembers who is over a limit, and until when. A bucket that is full lets nobody in until it has leaked, whatever happens
 * meanwhile, so a store elsewhere need not be asked: whoever floods a route costs no more than a look here.
 */
export interface Excesses {
  /** What the store would say now; undefined when only the store knows. */
  find(question: RateQuestion): Tally | undefined;
  remember(question: RateQuestion, tally: Tally): void;
}

export function createExcesses(clock: Clock): Excesses {
  /** Monotonic milliseconds until which the bucket is full. */
  let over: LRUCache<string, number> | null = null;
  return {
    find(question) {
      const until = over?.get(countName(question));
      if (until === undefined) return undefined;
      const next = until - clock.monotonic();
      return next > 0 ? { allowed: false, remaining: 0, next } : undefined;
    },
    remember(question, tally) {
      over ??= new LRUCache<string, number>({ max: REMEMBERED });
      over.set(countName(question), clock.monotonic() + tally.next);
    },
  };
}
