import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RateLimit } from '../../../src/core/rate-limit.ts';
import { count, intervalOf } from '../../../src/limit/leaky-count.ts';

const limit = (changes: Partial<RateLimit>): RateLimit => ({
  route: 'r',
  by: 'caller',
  requests: 5,
  per: 10_000,
  burst: changes.requests ?? 5,
  ...changes,
});

/** Asks at each of these milliseconds, and gives what came of it, the wait in milliseconds. */
function ask(rate: RateLimit, times: readonly number[]): [boolean, number, number][] {
  let emptyAt = 0;
  return times.map((time) => {
    const counted = count(rate, emptyAt, time * 1000);
    emptyAt = counted.emptyAt;
    return [counted.allowed, counted.remaining, counted.next];
  });
}

describe('a count', () => {
  it.each<[string, RateLimit, number[], [boolean, number, number][]]>([
    [
      'lets a burst through and then one for each interval',
      limit({}),
      [0, 0, 0, 0, 0, 0, 1_999, 2_000, 2_000],
      [
        [true, 4, 2_000],
        [true, 3, 2_000],
        [true, 2, 2_000],
        [true, 1, 2_000],
        [true, 0, 2_000],
        [false, 0, 2_000],
        [false, 0, 1],
        [true, 0, 2_000],
        [false, 0, 2_000],
      ],
    ],
    [
      'spaces requests evenly with a burst of one',
      limit({ burst: 1 }),
      [0, 1_999, 2_000, 2_001, 4_000],
      [
        [true, 0, 2_000],
        [false, 0, 1],
        [true, 0, 2_000],
        [false, 0, 1_999],
        [true, 0, 2_000],
      ],
    ],
    [
      'lets a larger burst through than comes back in a period',
      limit({ requests: 1, per: 1_000, burst: 3 }),
      [0, 0, 0, 0, 1_000, 1_000],
      [
        [true, 2, 1_000],
        [true, 1, 1_000],
        [true, 0, 1_000],
        [false, 0, 1_000],
        [true, 0, 1_000],
        [false, 0, 1_000],
      ],
    ],
    [
      'says when there is more room also before it is full',
      limit({}),
      [0, 500],
      [
        [true, 4, 2_000],
        [true, 3, 1_500],
      ],
    ],
    [
      'forgets everything after a rest',
      limit({}),
      [0, 0, 0, 0, 0, 10_000, 10_000],
      [
        [true, 4, 2_000],
        [true, 3, 2_000],
        [true, 2, 2_000],
        [true, 1, 2_000],
        [true, 0, 2_000],
        [true, 4, 2_000],
        [true, 3, 2_000],
      ],
    ],
  ])('%s', (_, rate, times, outcomes) => {
    expect(ask(rate, times)).toEqual(outcomes);
  });

  it.each([
    [limit({ requests: 7, per: 1_000 }), 142_857],
    [limit({ requests: 100, per: 60_000 }), 600_000],
    [limit({ requests: 1, per: 86_400_000 }), 86_400_000_000],
    [limit({ requests: 10_000_000, per: 1_000 }), 1],
  ])('knows the interval in whole microseconds: %o', (rate, interval) => {
    expect(intervalOf(rate)).toBe(interval);
  });

  const rates = fc.record({
    route: fc.constant('r'),
    by: fc.constant('caller' as const),
    requests: fc.integer({ min: 1, max: 10_000 }),
    per: fc.integer({ min: 1_000, max: 86_400_000 }),
    burst: fc.integer({ min: 1, max: 10_000 }),
  });
  const pauses = fc.array(fc.integer({ min: 0, max: 5_000_000 }), { maxLength: 200 });

  it('never lets more through than the burst and what has leaked, and refuses nobody else', () => {
    fc.assert(
      fc.property(rates, pauses, (rate, waits) => {
        const interval = intervalOf(rate);
        let now = 1_700_000_000_000_000;
        let emptyAt = 0;
        // Room in the bucket, in microseconds of leaking.
        let room = rate.burst * interval;
        for (const wait of waits) {
          now += wait;
          room = Math.min(rate.burst * interval, room + wait);
          const counted = count(rate, emptyAt, now);
          expect(counted.allowed).toBe(room >= interval);
          if (counted.allowed) room -= interval;
          expect(counted.remaining).toBe(Math.floor(room / interval));
          emptyAt = counted.emptyAt;
        }
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it('says exactly how long to wait', () => {
    fc.assert(
      fc.property(rates, pauses, (rate, waits) => {
        let now = 0;
        let emptyAt = 0;
        for (const wait of waits) {
          now += wait;
          const counted = count(rate, emptyAt, now);
          emptyAt = counted.emptyAt;
          if (counted.remaining > 0) continue;
          const due = now + counted.next * 1000;
          expect(count(rate, emptyAt, due).allowed).toBe(true);
          expect(count(rate, emptyAt, due - 1).allowed).toBe(false);
        }
      }),
      { seed: 2, numRuns: 300 },
    );
  });
});
