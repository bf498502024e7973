import {
  BucketFamily,
  CounterFamily,
  type CounterSeries,
  type Counts,
  HistogramFamily,
  type HistogramSeries,
} from './metric-families.ts';
import type { OwnRegistry } from './own-registry.ts';

/** The names of all metrics of ours start with this. */
export const PREFIX = 'cognito_auth_proxy_';

/** How long requests took, by route and index of {@link DURATION_BUCKETS}, for the status page alone. */
export const ROUTE_DURATIONS = `${PREFIX}route_durations_total`;

/** Seconds; the boundaries that OpenTelemetry advises for http.server.request.duration. */
export const DURATION_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

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
  /** The refusal's code; null when there was none. */
  readonly code: string | null;
  /** The code that a rule which is not enforced would have refused it with; null: none would. */
  readonly shadow: string | null;
  readonly seconds: number;
  /** The upstream's name; null when it was not asked, or gave no answer. */
  readonly upstream: string | null;
  /** Seconds until the upstream's header section. */
  readonly upstreamSeconds: number;
}

export interface RequestMetrics {
  count(sample: RequestSample): void;
  /** A connection was refused before there was a request. */
  connectionRefused(code: string): void;
}

/**
 * Registers what every request moves. A series is found by its labels one after another, which costs less than putting
 * them together.
 */
export function createRequestMetrics(registry: OwnRegistry, routeHistograms: boolean): RequestMetrics {
  const duration = new HistogramFamily({
    name: 'http_server_request_duration_seconds',
    help: 'Time from a request received to its answer sent, in seconds.',
    labelNames: routeHistograms ? ['method', 'status', 'route'] : ['method', 'status'],
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
  const upstreamDuration = new HistogramFamily({
    name: `${PREFIX}upstream_duration_seconds`,
    help: "Time from a request sent to the upstream's header section, in seconds.",
    labelNames: ['upstream', 'status'],
    bounds: DURATION_BUCKETS,
    registry,
  });
  // Where the histogram has the route, the page reads that.
  const routeDurations = routeHistograms
    ? null
    : new BucketFamily({
        name: ROUTE_DURATIONS,
        help: 'Requests by route and by how long they took.',
        labelNames: ['route', 'bucket'],
        buckets: DURATION_BUCKETS.length + 1,
        registry: registry.pageOnly,
      });
  const durations = new Map<string, HistogramSeries[]>();
  const upstreamDurations = new Map<string, HistogramSeries[]>();
  const outcomes = new Map<string, RouteOutcomes>();

  const outcomesOf = (route: string): RouteOutcomes => {
    const known = outcomes.get(route);
    if (known !== undefined) return known;
    const counts = new Array<number>(PLACES).fill(0);
    routeDurations?.addAt({ route }, counts, Place.buckets);
    const made: RouteOutcomes = { counts, deny: null, fault: null, shadow: null };
    outcomes.set(route, made);
    return made;
  };

  const durationOf = (method: string, status: number, route: string): HistogramSeries => {
    const key = routeHistograms ? `${method} ${route}` : method;
    const series = seriesOf(durations, key);
    const known = series[status];
    if (known !== undefined) return known;
    const labels = { method, status: String(status) };
    const made = duration.add(routeHistograms ? { ...labels, route } : labels);
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

  const refusedOf = (
    of: RouteOutcomes,
    route: string,
    decision: 'deny' | 'fault',
    code: string,
  ): CounterSeries => {
    of[decision] ??= new Map();
    const known = of[decision].get(code);
    if (known !== undefined) return known;
    const made = decisions.add({ route, decision, code });
    of[decision].set(code, made);
    return made;
  };

  const shadowOf = (of: RouteOutcomes, route: string, code: string): CounterSeries => {
    of.shadow ??= new Map();
    const known = of.shadow.get(code);
    if (known !== undefined) return known;
    const made = shadowRefusals.add({ route, code });
    of.shadow.set(code, made);
    return made;
  };

  const countAnswered = ({ counts }: RouteOutcomes, route: string, status: number): void => {
    const statusClass = Math.floor(status / 100);
    const place = Place.answered + statusClass;
    if (counts[place] === 0) requests.addAt({ route, status: `${statusClass}xx` }, counts, place);
    increment(counts, place);
  };

  const countAllowed = ({ counts }: RouteOutcomes, route: string): void => {
    const place = Place.allowed;
    if (counts[place] === 0) decisions.addAt({ route, decision: 'allow', code: 'ok' }, counts, place);
    increment(counts, place);
  };

  return {
    count({ method, status, route, decision, code, shadow, seconds, upstream, upstreamSeconds }) {
      const bucket = durationOf(METHODS.has(method) ? method : '_OTHER', status, route).observe(seconds);
      const of = outcomesOf(route);
      increment(of.counts, Place.buckets + bucket);
      countAnswered(of, route, status);
      if (decision === 'allow') countAllowed(of, route);
      else if (decision !== null && code !== null) refusedOf(of, route, decision, code).value += 1;
      if (shadow !== null) shadowOf(of, route, shadow).value += 1;
      if (upstream !== null) upstreamDurationOf(upstream, status).observe(upstreamSeconds);
    },
    connectionRefused(code) {
      refusedOf(outcomesOf('none'), 'none', 'deny', code).value += 1;
    },
  };
}

/** What every request on a route counts, and where. */
const Place = {
  /** By the first digit of the status, 0 where none was sent. */
  answered: 0,
  allowed: 10,
  /** By how long it took. */
  buckets: 11,
} as const;

const PLACES = Place.buckets + DURATION_BUCKETS.length + 1;

function increment(counts: Counts, place: number): void {
  counts[place] = (counts[place] as number) + 1;
}

/** What became of the requests on one route. What has not happened is null: there may be thousands of these. */
interface RouteOutcomes {
  /** What every request counts. */
  readonly counts: Counts;
  /** By code. */
  deny: Map<string, CounterSeries> | null;
  fault: Map<string, CounterSeries> | null;
  shadow: Map<string, CounterSeries> | null;
}

/** The series of one key, by status. */
function seriesOf(all: Map<string, HistogramSeries[]>, key: string): HistogramSeries[] {
  const known = all.get(key);
  if (known !== undefined) return known;
  const made: HistogramSeries[] = [];
  all.set(key, made);
  return made;
}
