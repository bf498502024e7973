import { DURATION_BUCKETS, ROUTE_DURATIONS } from '../request-metrics.ts';
import { type Reading, type Series, sumsBy, textOf, totalsBy, type Where } from './reading.ts';

/** Seconds, as the middle and the slowest hundredth of the requests took. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
}

/** @returns null when the histogram has counted nothing */
export function latencyOf(reading: Reading, histogram: string, where: Where = {}): Latency | null {
  return latencyIn(totalsBy(reading, `${histogram}_bucket`, 'le', where));
}

/**
 * Groups once, because there may be thousands of routes; works out a route's latency when asked.
 * @param histogram is read where no {@link ROUTE_DURATIONS} are counted
 */
export function latenciesByRoute(reading: Reading, histogram: string): (route: string) => Latency | null {
  const counted = reading.get(ROUTE_DURATIONS);
  const byRoute = new Map<string, Series[]>();
  for (const series of (counted ?? reading.get(`${histogram}_bucket`))?.values() ?? []) {
    const route = textOf(series, 'route');
    const known = byRoute.get(route);
    if (known === undefined) byRoute.set(route, [series]);
    else known.push(series);
  }
  return (route) => {
    const series = byRoute.get(route) ?? [];
    return latencyIn(counted === undefined ? sumsBy(series, 'le') : cumulated(sumsBy(series, 'bucket')));
  };
}

/** As a histogram has it: with each bucket, those of the buckets before it. */
function cumulated(counts: ReadonlyMap<string, number>): Map<string, number> {
  let below = 0;
  return new Map(
    [...DURATION_BUCKETS, '+Inf'].map((le, index) => {
      below += counts.get(String(index)) ?? 0;
      return [String(le), below];
    }),
  );
}

/** @param counts cumulative, by upper boundaries as a histogram has them */
function latencyIn(counts: ReadonlyMap<string, number>): Latency | null {
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
