import type { RateLimit } from '../core/rate-limit.ts';

const UNITS: readonly (readonly [name: string, milliseconds: number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
];

/** A limit in the words of the configuration, for `explain`. */
export function describeRateLimit({ by, requests, per, burst }: RateLimit): string {
  return `${requests} requests per ${describePeriod(per)} by ${by}, at most ${burst} at once`;
}

function describePeriod(milliseconds: number): string {
  const [name, length] = UNITS.find(([, unit]) => milliseconds % unit === 0) ?? ['ms', 1];
  return `${milliseconds / length}${name}`;
}
