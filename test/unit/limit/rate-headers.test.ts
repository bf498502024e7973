import { describe, expect, it } from 'vitest';
import type { RateLimit } from '../../../src/core/rate-limit.ts';
import { describeRateLimit } from '../../../src/limit/describe-rate-limit.ts';
import { rateHeaders, secondsUntil } from '../../../src/limit/rate-headers.ts';

const limit: RateLimit = { route: 'write-posts', by: 'caller', requests: 100, per: 60_000, burst: 20 };

describe('what clients are told', () => {
  it.each([
    [{ allowed: true, remaining: 19, next: 600 }, '"write-posts";r=19;t=1'],
    [{ allowed: true, remaining: 0, next: 1_000 }, '"write-posts";r=0;t=1'],
    [{ allowed: false, remaining: 0, next: 1_001 }, '"write-posts";r=0;t=2'],
    [{ allowed: false, remaining: 0, next: 0.5 }, '"write-posts";r=0;t=1'],
  ])('%o', (tally, left) => {
    expect(rateHeaders(limit, tally)).toEqual([
      'ratelimit-policy',
      '"write-posts";q=100;w=60',
      'ratelimit',
      left,
    ]);
  });

  it.each([
    [0, 1],
    [999.5, 1],
    [1_000, 1],
    [1_000.5, 2],
    [59_999, 60],
  ])('%f ms are over after %i s', (next, seconds) => {
    expect(secondsUntil({ allowed: false, remaining: 0, next })).toBe(seconds);
  });
});

describe('what operators are told', () => {
  it.each([
    [60_000, '1m'],
    [90_000, '90s'],
    [3_600_000, '1h'],
    [86_400_000, '1d'],
    [1_500, '1500ms'],
  ])('%i ms is %s', (per, text) => {
    expect(describeRateLimit({ ...limit, per })).toBe(
      `100 requests per ${text} by caller, at most 20 at once`,
    );
  });
});
