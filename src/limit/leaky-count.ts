import type { RateLimit, Tally } from '../core/rate-limit.ts';

/**
 * A bucket that holds `burst` requests and leaks evenly, `requests` in each period, in the form of the generic cell rate
 * algorithm (ITU-T I.371): all there is to remember of a caller is the moment at which its bucket will be empty. Times
 * are whole microseconds, so that nothing is lost to rounding and every store comes to the same numbers.
 */
export interface Count extends Tally {
  /** Microseconds: when the bucket will be empty. */
  readonly emptyAt: number;
}

/** Microseconds in which one request leaks. */
export function intervalOf({ requests, per }: RateLimit): number {
  return Math.max(1, Math.round((per * 1000) / requests));
}

/**
 * Counts one request if the bucket has room for it.
 * @param emptyAt microseconds; any moment in the past for a caller who is not remembered
 * @param now microseconds, whole
 */
export function count(limit: RateLimit, emptyAt: number, now: number): Count {
  const interval = intervalOf(limit);
  const depth = limit.burst * interval;
  const filled = Math.max(0, emptyAt - now);
  const after = filled + interval;
  if (after > depth) {
    return { allowed: false, remaining: 0, next: (after - depth) / 1000, emptyAt: now + filled };
  }
  const used = Math.ceil(after / interval);
  const next = (after - (used - 1) * interval) / 1000;
  return { allowed: true, remaining: limit.burst - used, next, emptyAt: now + after };
}
