import type { Gauges } from '../../src/core/observer.ts';
import { exposition } from '../../src/observe/combine-metrics.ts';
import { createRateEntriesMetric } from '../../src/observe/limit-metrics.ts';
import { createMetrics, createRegistry, type Metrics, type OwnRegistry } from '../../src/observe/metrics.ts';
import { createReloadMetrics } from '../../src/observe/reload-metrics.ts';
import type { RequestSample } from '../../src/observe/request-metrics.ts';

export const GAUGES: Gauges = {
  inFlight: () => 3,
  tokenCacheEntries: () => 7,
  keyAges: () => new Map([['main', 12.5]]),
  keyRefreshes: () => new Map([['main', 3600]]),
  connections: () => 11,
  webSockets: () => 5,
  failingAddresses: () => new Map([['board', 1]]),
  admissions: () => new Map([['board', { underWay: 4, waiting: 1 }]]),
  upstreamConnections: () =>
    new Map([
      ['board', 2],
      ['wiki', 0],
    ]),
};

/** A request that was let through. */
export const SAMPLE: RequestSample = {
  method: 'GET',
  status: 200,
  route: 'posts',
  decision: 'allow',
  code: null,
  shadow: null,
  seconds: 0.03,
  upstream: 'board',
  upstreamSeconds: 0.02,
};

/** All metrics of a service with one process. */
export interface RegisteredMetrics {
  readonly registry: OwnRegistry;
  readonly metrics: Metrics;
  /** Lines of the exposition that are ours: without the defaults of the process, and without comments. */
  series(): Promise<string[]>;
}

export function registerMetrics(routeHistograms = false, gauges: Gauges = GAUGES): RegisteredMetrics {
  const registry = createRegistry();
  createReloadMetrics(registry, () => 1_700_000_000);
  createRateEntriesMetric(registry, () => 9);
  return {
    registry,
    metrics: createMetrics({ registry, routeHistograms, gauges }),
    async series() {
      const { text } = await exposition(registry);
      return text.split('\n').filter((line) => /^(cognito_|http_)/.test(line));
    },
  };
}
