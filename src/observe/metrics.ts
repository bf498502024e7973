import { Counter, collectDefaultMetrics, Histogram } from 'prom-client';
import type { Gauges, Observer } from '../core/observer.ts';
import type { CredentialResult } from '../core/signing.ts';
import { registerGauges } from './gauges.ts';
import { createLimitMetrics } from './limit-metrics.ts';
import { CounterFamily, type CounterSeries } from './metric-families.ts';
import { OwnRegistry } from './own-registry.ts';
import { createRequestMetrics, DURATION_BUCKETS, PREFIX, type RequestSample } from './request-metrics.ts';

export type { OwnRegistry };

export interface Metrics extends Observer {
  count(sample: RequestSample): void;
}

export interface MetricsOptions {
  readonly registry: OwnRegistry;
  readonly routeHistograms: boolean;
  readonly gauges: Gauges;
}

/**
 * Gauges that prom-client names as if they were counters, which Prometheus' own linter refuses. Each is the sum of one
 * that stays.
 */
const MISNAMED_DEFAULTS = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

/** A registry of this process, with what Node and the system tell about it. */
export function createRegistry(): OwnRegistry {
  const registry = new OwnRegistry();
  collectDefaultMetrics({ register: registry });
  for (const name of MISNAMED_DEFAULTS) registry.removeSingleMetric(name);
  return registry;
}

/** Registers the metrics of one gateway. `aggregator` says how the metrics of several workers combine. */
export function createMetrics(options: MetricsOptions): Metrics {
  const { registry, gauges } = options;
  const registers = [registry];

  const requests = createRequestMetrics(registry, options.routeHistograms);
  const tokenCache = new CounterFamily({
    name: `${PREFIX}token_cache_total`,
    help: 'Look-ups in the cache of verified tokens.',
    labelNames: ['result'],
    registry,
  });
  const keyFetches = new Counter({
    name: `${PREFIX}jwks_fetch_total`,
    help: 'Fetches of key sets. `absent`: the endpoint has none, as for the form of issuer that a pool does not use.',
    labelNames: ['pool', 'result'],
    // Workers share the primary's fetches; their sum would count each several times.
    aggregator: 'max',
    registers,
  });
  const credentials = new CounterFamily({
    name: `${PREFIX}credentials_total`,
    help: 'AWS credentials to sign with, by identity pool: remembered, fetched, or not to be had.',
    labelNames: ['pool', 'result'],
    registry,
  });
  const credentialsDuration = new Histogram({
    name: `${PREFIX}credentials_duration_seconds`,
    help: 'Time to fetch AWS credentials, in seconds.',
    labelNames: ['pool'],
    buckets: DURATION_BUCKETS,
    registers,
  });
  registerGauges(registry, gauges);
  const limits = createLimitMetrics(registry, gauges);

  const credentialUses = new Map<string, Partial<Record<CredentialResult, CounterSeries>>>();
  const hits = tokenCache.add({ result: 'hit' });
  const misses = tokenCache.add({ result: 'miss' });

  return {
    count: requests.count,
    tokenCacheUsed(result) {
      (result === 'hit' ? hits : misses).value += 1;
    },
    credentialsUsed(pool, result, seconds) {
      let uses = credentialUses.get(pool);
      if (uses === undefined) {
        uses = {};
        credentialUses.set(pool, uses);
      }
      uses[result] ??= credentials.add({ pool, result });
      uses[result].value += 1;
      if (seconds !== null) credentialsDuration.observe({ pool }, seconds);
    },
    keysFetched(pool, result) {
      keyFetches.inc({ pool, result });
    },
    connectionRefused: requests.connectionRefused,
    rateStoreAsked: limits.rateStoreAsked,
  };
}
