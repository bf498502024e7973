import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Gauges, Observer } from '../core/observer.ts';
import { createLimitMetrics } from './limit-metrics.ts';

export type { Registry };

/** The names of all metrics of ours start with this. */
const PREFIX = 'cognito_auth_proxy_';

/** Seconds; the boundaries that OpenTelemetry advises for http.server.request.duration. */
const DURATION_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

const METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
]);

export type Decision = 'allow' | 'deny' | 'fault';

/** One finished request, as the metrics see it. Labels come from configuration and from fixed sets only. */
export interface RequestSample {
  readonly method: string;
  readonly status: number;
  /** The route's id; `none` when no route was found. */
  readonly route: string;
  /** Null when the client left before there was one. */
  readonly decision: Decision | null;
  /** The refusal's code; `ok` when there was none. */
  readonly code: string;
  /** The code that a rule which is not enforced would have refused it with; null: none would. */
  readonly shadow: string | null;
  readonly seconds: number;
  /** The upstream's name; null when it was not asked, or gave no answer. */
  readonly upstream: string | null;
  /** Seconds until the upstream's header section. */
  readonly upstreamSeconds: number;
}

export interface Metrics extends Observer {
  count(sample: RequestSample): void;
}

export interface MetricsOptions {
  readonly registry: Registry;
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
export function createRegistry(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const name of MISNAMED_DEFAULTS) registry.removeSingleMetric(name);
  return registry;
}

/**
 * Registers the metrics of one gateway. `aggregator` says how the metrics of several workers combine. Children are
 * looked up once per combination of labels, so that a request costs a map look-up each.
 */
export function createMetrics(options: MetricsOptions): Metrics {
  const { registry, gauges } = options;
  const registers = [registry];

  const duration = new Histogram({
    name: 'http_server_request_duration_seconds',
    help: 'Time from a request received to its answer sent, in seconds.',
    labelNames: options.routeHistograms ? ['method', 'status', 'route'] : ['method', 'status'],
    buckets: DURATION_BUCKETS,
    registers,
  });
  const requests = new Counter({
    name: `${PREFIX}requests_total`,
    help: 'Requests answered, by route and class of status.',
    labelNames: ['route', 'status'],
    registers,
  });
  const decisions = new Counter({
    name: `${PREFIX}decisions_total`,
    help: 'Requests let through (allow), refused (deny) or failed (fault), with the code from docs/errors.md.',
    labelNames: ['route', 'decision', 'code'],
    registers,
  });
  const shadowRefusals = new Counter({
    name: `${PREFIX}shadow_refusals_total`,
    help: 'Requests that a rule would have refused, on routes with enforce: false, with the code from docs/errors.md.',
    labelNames: ['route', 'code'],
    registers,
  });
  const tokenCache = new Counter({
    name: `${PREFIX}token_cache_total`,
    help: 'Look-ups in the cache of verified tokens.',
    labelNames: ['result'],
    registers,
  });
  const keyFetches = new Counter({
    name: `${PREFIX}jwks_fetch_total`,
    help: 'Fetches of key sets. `absent`: the endpoint has none, as for the form of issuer that a pool does not use.',
    labelNames: ['pool', 'result'],
    // Workers share the primary's fetches; their sum would count each several times.
    aggregator: 'max',
    registers,
  });
  const credentials = new Counter({
    name: `${PREFIX}credentials_total`,
    help: 'AWS credentials to sign with, by identity pool: remembered, fetched, or not to be had.',
    labelNames: ['pool', 'result'],
    registers,
  });
  const credentialsDuration = new Histogram({
    name: `${PREFIX}credentials_duration_seconds`,
    help: 'Time to fetch AWS credentials, in seconds.',
    labelNames: ['pool'],
    buckets: DURATION_BUCKETS,
    registers,
  });
  const upstreamDuration = new Histogram({
    name: `${PREFIX}upstream_duration_seconds`,
    help: "Time from a request sent to the upstream's header section, in seconds.",
    labelNames: ['upstream', 'status'],
    buckets: DURATION_BUCKETS,
    registers,
  });
  new Gauge({
    name: `${PREFIX}token_cache_entries`,
    help: 'Verified tokens remembered.',
    registers,
    collect() {
      this.set(gauges.tokenCacheEntries());
    },
  });
  new Gauge({
    name: `${PREFIX}jwks_age_seconds`,
    help: 'Seconds since the keys in use were fetched, of the oldest set of the pool.',
    labelNames: ['pool'],
    aggregator: 'max',
    registers,
    collect() {
      this.reset();
      for (const [pool, age] of gauges.keyAges()) this.set({ pool }, age);
    },
  });
  new Gauge({
    name: `${PREFIX}upstream_connections`,
    help: 'Open connections to the upstream.',
    labelNames: ['upstream'],
    registers,
    collect() {
      this.reset();
      for (const [upstream, connections] of gauges.upstreamConnections()) this.set({ upstream }, connections);
    },
  });
  new Gauge({
    name: `${PREFIX}upstream_failing_addresses`,
    help: 'Addresses of the upstream that failed several times in a row and have not answered since.',
    labelNames: ['upstream'],
    // Each worker finds out for itself.
    aggregator: 'max',
    registers,
    collect() {
      this.reset();
      for (const [upstream, addresses] of gauges.failingAddresses()) this.set({ upstream }, addresses);
    },
  });
  new Gauge({
    name: `${PREFIX}requests_in_flight`,
    help: 'Requests accepted and not yet answered.',
    registers,
    collect() {
      this.set(gauges.inFlight());
    },
  });

  const limits = createLimitMetrics(registry, gauges);

  const durations = new Map<string, Histogram.Internal<string>>();
  const upstreamDurations = new Map<string, Histogram.Internal<string>>();
  const outcomes = new Map<
    string,
    { readonly requests: Counter.Internal; readonly decisions: Counter.Internal | null }
  >();
  const credentialUses = new Map<string, Counter.Internal>();
  const hits = tokenCache.labels('hit');
  const misses = tokenCache.labels('miss');

  return {
    count(sample) {
      const method = METHODS.has(sample.method) ? sample.method : '_OTHER';
      const status = String(sample.status);
      const durationKey = options.routeHistograms
        ? `${method} ${status} ${sample.route}`
        : `${method} ${status}`;
      let durationChild = durations.get(durationKey);
      if (durationChild === undefined) {
        durationChild = options.routeHistograms
          ? duration.labels(method, status, sample.route)
          : duration.labels(method, status);
        durations.set(durationKey, durationChild);
      }
      durationChild.observe(sample.seconds);

      const statusClass = `${status[0]}xx`;
      const outcomeKey = `${statusClass} ${sample.decision} ${sample.code} ${sample.route}`;
      let outcome = outcomes.get(outcomeKey);
      if (outcome === undefined) {
        outcome = {
          requests: requests.labels(sample.route, statusClass),
          decisions:
            sample.decision === null ? null : decisions.labels(sample.route, sample.decision, sample.code),
        };
        outcomes.set(outcomeKey, outcome);
      }
      outcome.requests.inc();
      outcome.decisions?.inc();
      if (sample.shadow !== null) shadowRefusals.inc({ route: sample.route, code: sample.shadow });

      if (sample.upstream === null) return;
      const upstreamKey = `${status} ${sample.upstream}`;
      let upstreamChild = upstreamDurations.get(upstreamKey);
      if (upstreamChild === undefined) {
        upstreamChild = upstreamDuration.labels(sample.upstream, status);
        upstreamDurations.set(upstreamKey, upstreamChild);
      }
      upstreamChild.observe(sample.upstreamSeconds);
    },
    tokenCacheUsed(result) {
      (result === 'hit' ? hits : misses).inc();
    },
    credentialsUsed(pool, result, seconds) {
      const key = `${result} ${pool}`;
      let uses = credentialUses.get(key);
      if (uses === undefined) {
        uses = credentials.labels(pool, result);
        credentialUses.set(key, uses);
      }
      uses.inc();
      if (seconds !== null) credentialsDuration.observe({ pool }, seconds);
    },
    keysFetched(pool, result) {
      keyFetches.inc({ pool, result });
    },
    connectionRefused(code) {
      decisions.inc({ route: 'none', decision: 'deny', code });
    },
    rateStoreAsked: limits.rateStoreAsked,
  };
}
