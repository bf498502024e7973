import { type Reading, totalsBy, type Where } from './reading.ts';

/** Seconds, as the middle and the slowest hundredth of the requests took. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
}

/** @returns null when the histogram has counted nothing */
export function latencyOf(reading: Reading, histogram: string, where: Where = {}): Latency | null {
  const counts = totalsBy(reading, `${histogram}_bucket`, 'le', where);
  const buckets = [...counts]
    .map(([le, count]) => ({ le: le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le), count }))
    .sort((a, b) => a.le - b.le);
  if ((buckets.at(-1)?.count ?? 0) === 0) return null;
  return { p50: quantile(buckets, 0.5), p99: quantile(buckets, 0.99) };
}

/**
 * As Prometheus' histogram_quantile: linear within a bucket, and beyond the last finite one its boundary.
 * @param buckets cumulative, by their upper boundaries in seconds
 */
function quantile(buckets: readonly { readonly le: number; readonly count: number }[], q: number): number {
  const rank = q * (buckets.at(-1)?.count ?? 0);
  let below = { le: 0, count: 0 };
  for (const bucket of buckets) {
    if (bucket.count >= rank) {
      if (bucket.le === Number.POSITIVE_INFINITY) return below.le;
      const within = (rank - below.count) / (bucket.count - below.count || 1);
      return below.le + (bucket.le - below.le) * within;
    }
    below = bucket;
  }
  return below.le;
}
