import { describe, expect, it } from 'vitest';
import { median, percentile, ratios, spreadOf } from '../../../bench/measure/statistics.ts';

describe('median', () => {
  it.each([
    [[3], 3],
    [[5, 1, 3], 3],
    [[4, 1, 3, 2], 2.5],
    [[10, 9, 100], 10],
    [[], Number.NaN],
  ])('of %j is %d', (figures, expected) => {
    expect(median(figures)).toBe(expected);
  });

  it('leaves the figures as they are', () => {
    const figures = [3, 1, 2];
    median(figures);
    expect(figures).toEqual([3, 1, 2]);
  });
});

describe('percentile', () => {
  const hundred = Float64Array.from({ length: 100 }, (_, i) => 100 - i);

  it.each([
    [0.5, 50],
    [0.99, 99],
    [1, 100],
    [0, 1],
  ])('%d of 1 to 100 is %d', (share, expected) => {
    expect(percentile(hundred, share)).toBe(expected);
  });
});

it('compares round by round, so that what slows a whole round cancels out', () => {
  const calm = [100, 50, 100];
  const twice = [200, 100, 200];
  expect(spreadOf(ratios(twice, calm))).toEqual({ median: 2, least: 2, most: 2 });
});
