import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Gauges, Observer } from '../core/observer.ts';
import { createLimitMetrics } from './limit-metrics.ts';
import {
  CounterFamily,
  type CounterSeries,
  HistogramFamily,
  type HistogramSeries,
} from './metric-families.ts';

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
 * Registers the metrics of one gateway. `aggregator` says how the metrics of several workers combine. What every
 * request moves is found by its labels one after another, which costs less than putting them together.
 */
export function createMetrics(options: MetricsOptions): Metrics {
  const { registry, gauges } = options;
  const registers = [registry];

  const duration = new HistogramFamily({
    name: 'http_server_request_duration_seconds',
    help: 'Time from a request received to its answer sent, in seconds.',
    labelNames: options.routeHistograms ? ['method', 'status', 'route'] : ['method', 'status'],
    bounds: DURATION_BUCKETS,
    registry,
  });
  const requests = new CounterFamily({
    name: `${PREFIX}requests_total`,
    help: 'Requests answered, by route and class of status.',
    labelNames: ['route', 'status'],
    registry,
  });
  const decisions = new CounterFamily({
    name: `${PREFIX}decisions_total`,
    help: 'Requests let through (allow), refused (deny) or failed (fault), with the code from docs/errors.md.',
    labelNames: ['route', 'decision', 'code'],
    registry,
  });
  const shadowRefusals = new CounterFamily({
    name: `${PREFIX}shadow_refusals_total`,
    help: 'Requests that a rule would have refused, on routes with enforce: false, with the code from docs/errors.md.',
    labelNames: ['route', 'code'],
    registry,
  });
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
  const upstreamDuration = new HistogramFamily({
    name: `${PREFIX}upstream_duration_seconds`,
    help: "Time from a request sent to the upstream's header section, in seconds.",
    labelNames: ['upstream', 'status'],
    bounds: DURATION_BUCKETS,
    registry,
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

  const durations = new Map<string, HistogramSeries[]>();
  const upstreamDurations = new Map<string, HistogramSeries[]>();
  const outcomes = new Map<string, RouteOutcomes>();
  const credentialUses = new Map<string, Counter.Internal>();
  const hits = tokenCache.add({ result: 'hit' });
  const misses = tokenCache.add({ result: 'miss' });

  const outcomesOf = (route: string): RouteOutcomes => {
    const known = outcomes.get(route);
    if (known !== undefined) return known;
    const made = { requests: [], allow: new Map(), deny: new Map(), fault: new Map(), shadow: new Map() };
    outcomes.set(route, made);
    return made;
  };

  const durationOf = (method: string, status: number, route: string): HistogramSeries => {
    const key = options.routeHistograms ? `${method} ${route}` : method;
    const series = seriesOf(durations, key);
    const known = series[status];
    if (known !== undefined) return known;
    const labels = { method, status: String(status) };
    const made = duration.add(options.routeHistograms ? { ...labels, route } : labels);
    series[status] = made;
    return made;
  };

  const upstreamDurationOf = (upstream: string, status: number): HistogramSeries => {
    const series = seriesOf(upstreamDurations, upstream);
    const known = series[status];
    if (known !== undefined) return known;
    const made = upstreamDuration.add({ upstream, status: String(status) });
    series[status] = made;
    return made;
  };

  const decisionOf = (route: string, decision: Decision, code: string): CounterSeries => {
    const series = outcomesOf(route)[decision];
    const known = series.get(code);
    if (known !== undefined) return known;
    const made = decisions.add({ route, decision, code });
    series.set(code, made);
    return made;
  };

  const shadowOf = (route: string, code: string): CounterSeries => {
    const series = outcomesOf(route).shadow;
    const known = series.get(code);
    if (known !== undefined) return known;
    const made = shadowRefusals.add({ route, code });
    series.set(code, made);
    return made;
  };

  const requestsOf = (route: string, status: number): CounterSeries => {
    const statusClass = Math.floor(status / 100);
    const series = outcomesOf(route).requests;
    const known = series[statusClass];
    if (known !== undefined) return known;
    const made = requests.add({ route, status: `${statusClass}xx` });
    series[statusClass] = made;
    return made;
  };

  return {
    count({ method, status, route, decision, code, shadow, seconds, upstream, upstreamSeconds }) {
      durationOf(METHODS.has(method) ? method : '_OTHER', status, route).observe(seconds);
      requestsOf(route, status).value += 1;
      if (decision !== null) decisionOf(route, decision, code).value += 1;
      if (shadow !== null) shadowOf(route, shadow).value += 1;
      if (upstream !== null) upstreamDurationOf(upstream, status).observe(upstreamSeconds);
    },
    tokenCacheUsed(result) {
      (result === 'hit' ? hits : misses).value += 1;
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
      decisionOf('none', 'deny', code).value += 1;
    },
    rateStoreAsked: limits.rateStoreAsked,
  };
}

/** What became of the requests on one route. */
interface RouteOutcomes {
  /** By the first digit of the status. */
  readonly requests: CounterSeries[];
  /** By code. */
  readonly allow: Map<string, CounterSeries>;
  readonly deny: Map<string, CounterSeries>;
  readonly fault: Map<string, CounterSeries>;
  readonly shadow: Map<string, CounterSeries>;
}

/** The series of one key, by status. */
function seriesOf(all: Map<string, HistogramSeries[]>, key: string): HistogramSeries[] {
  const known = all.get(key);
  if (known !== undefined) return known;
  const made: HistogramSeries[] = [];
  all.set(key, made);
  return made;
}
