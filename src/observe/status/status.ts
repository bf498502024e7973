import type { Config } from '../../config/schema/config.ts';
import { type RouteSummary, summarizeRoutes } from '../summarize-routes.ts';
import { assess } from './assess.ts';
import { type Finding, largest, statusOf, sumOf } from './finding.ts';
import { type Minute, outcomes } from './history.ts';
import { type Latency, latenciesByRoute, latencyOf } from './quantile.ts';
import { gaugeOf, type Reading, sumsBy, textOf, total, totalsBy } from './reading.ts';
import type { Phase, View } from './view.ts';

/** How a service is doing, as the status page shows it. */
export interface Status {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly phase: Phase;
  readonly findings: readonly DatedFinding[];
  readonly traffic: Traffic;
  readonly routes: readonly RouteStatus[];
  readonly userPools: readonly PoolStatus[];
  readonly upstreams: readonly UpstreamStatus[];
  readonly credentials: readonly CredentialStatus[];
  readonly limits: readonly LimitStatus[];
  readonly reloads: { readonly at: number; readonly successful: boolean; readonly failures: number };
}

export interface DatedFinding extends Finding {
  /** Milliseconds since the epoch at which it was first found. */
  readonly since: number;
}

export interface Traffic {
  /** Requests a second, in the last minute. */
  readonly perSecond: number;
  readonly lately: Pick<Minute, 'passed' | 'refused' | 'failed'>;
  /** Requests in the last minute that had a route, those of them that were refused, and the code most were refused for. */
  readonly onRoutes: { readonly requests: number; readonly refused: number; readonly code: string | null };
  readonly inFlight: number;
  readonly latency: Latency | null;
  readonly minutes: readonly Readonly<Minute>[];
}

export interface RouteStatus extends Omit<RouteSummary, 'host'> {
  readonly host: string | null;
  /** Requests in the last minute, and since the start. */
  readonly lately: number;
  readonly total: number;
  /** Refusals and failures by code, most frequent first. */
  readonly codes: readonly CodeCount[];
  /** What a rule that is not enforced would have refused. */
  readonly shadow: readonly CodeCount[];
  /** In the last minute; null when there were no requests in it. */
  readonly latency: Latency | null;
}

export interface CodeCount {
  readonly code: string;
  readonly lately: number;
  readonly total: number;
}

export interface PoolStatus {
  readonly name: string;
  readonly userPoolId: string;
  /** Seconds since the keys in use were fetched; undefined: there are none. */
  readonly age: number | undefined;
  readonly fetched: number;
  readonly failed: number;
  readonly maxStale: number | null;
}

export interface UpstreamStatus {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly failing: number;
  readonly connections: number;
  readonly lately: number;
  /** Its own 5xx in the last minute. */
  readonly errors: number;
  readonly latency: Latency | null;
  readonly signed: boolean;
}

export interface CredentialStatus {
  readonly pool: string;
  readonly results: ReadonlyMap<string, number>;
  readonly latency: Latency | null;
}

export interface LimitStatus {
  readonly name: string;
  readonly used: number;
  /** Null: no limit. */
  readonly limit: number | null;
}

const DECISIONS = 'cognito_auth_proxy_decisions_total';
const SHADOW = 'cognito_auth_proxy_shadow_refusals_total';
const UPSTREAM = 'cognito_auth_proxy_upstream_duration_seconds';
const REQUESTS = 'http_server_request_duration_seconds';

/** @param dates when each finding was first made */
export function describeStatus(view: View, dates: (finding: Finding) => number): Status {
  const { now, recent, config } = view;
  const lately = outcomes(recent.reading);
  let routes: readonly RouteStatus[] | null = null;
  return {
    time: view.time,
    phase: view.phase,
    findings: assess(view).map((finding) => ({ ...finding, since: dates(finding) })),
    traffic: {
      perSecond: (lately.passed + lately.refused + lately.failed) / recent.seconds,
      lately,
      onRoutes: countOnRoutes(recent.reading),
      inFlight: gaugeOf(now, 'cognito_auth_proxy_requests_in_flight') ?? 0,
      latency: latencyOf(recent.reading, REQUESTS),
      minutes: view.minutes,
    },
    // Costly with thousands of them, and of no use while nobody looks.
    get routes() {
      routes ??= describeRoutes(view);
      return routes;
    },
    userPools: Object.entries(config.userPools).map(([name, { userPoolId, keys }]) => ({
      name,
      userPoolId,
      age: gaugeOf(now, 'cognito_auth_proxy_jwks_age_seconds', { pool: name }),
      fetched: total(now, 'cognito_auth_proxy_jwks_fetch_total', { pool: name, result: 'success' }),
      failed: total(now, 'cognito_auth_proxy_jwks_fetch_total', { pool: name, result: 'failure' }),
      maxStale: 'maxStale' in keys ? keys.maxStale / 1000 : null,
    })),
    upstreams: Object.entries(config.upstreams).map(([name, { url, urls, sign }]) => ({
      name,
      addresses: urls ?? (url === undefined ? [] : [url]),
      failing: gaugeOf(now, 'cognito_auth_proxy_upstream_failing_addresses', { upstream: name }) ?? 0,
      connections: gaugeOf(now, 'cognito_auth_proxy_upstream_connections', { upstream: name }) ?? 0,
      lately: total(recent.reading, `${UPSTREAM}_count`, { upstream: name }),
      errors: serverErrors(recent.reading, name),
      latency: latencyOf(recent.reading, UPSTREAM, { upstream: name }),
      signed: sign !== undefined,
    })),
    credentials: [...totalsBy(now, 'cognito_auth_proxy_credentials_total', 'pool').keys()].map((pool) => ({
      pool,
      results: totalsBy(now, 'cognito_auth_proxy_credentials_total', 'result', { pool }),
      latency: latencyOf(now, 'cognito_auth_proxy_credentials_duration_seconds', { pool }),
    })),
    limits: describeLimits(now, config),
    reloads: {
      at: (gaugeOf(now, 'cognito_auth_proxy_config_last_reload_success_timestamp_seconds') ?? 0) * 1000,
      successful: gaugeOf(now, 'cognito_auth_proxy_config_last_reload_successful') !== 0,
      failures: total(now, 'cognito_auth_proxy_config_reloads_total', { result: 'failure' }),
    },
  };
}

function countOnRoutes(reading: Reading): Traffic['onRoutes'] {
  const all = [...(reading.get(DECISIONS)?.values() ?? [])].filter(
    (series) => textOf(series, 'route') !== 'none',
  );
  const refused = sumsBy(all, 'code', { decision: 'deny' });
  return {
    requests: sumOf(all.map(({ value }) => value)),
    refused: sumOf(refused.values()),
    code: largest(refused)?.[0] ?? null,
  };
}

function serverErrors(reading: Reading, upstream: string): number {
  const answers = totalsBy(reading, `${UPSTREAM}_count`, 'status', { upstream });
  return sumOf([...answers].filter(([status]) => status.startsWith('5')).map(([, count]) => count));
}

/** Every route of the configuration, and a row for what met none of them. */
function describeRoutes({ config, now, recent }: View): RouteStatus[] {
  const counted = countByRoute(now, recent.reading, DECISIONS);
  for (const [route, count] of countOwnErrors(now, recent.reading, counted)) counted.get(route)?.push(count);
  const shadows = countByRoute(now, recent.reading, SHADOW);
  const latencyOfRoute = latenciesByRoute(recent.reading, REQUESTS);
  const describe = (summary: Omit<RouteStatus, 'lately' | 'total' | 'codes' | 'shadow' | 'latency'>) => {
    const codes = counted.get(summary.id) ?? [];
    return {
      ...summary,
      lately: sumOf(codes.map(({ code, lately }) => (code === OWN_ERRORS ? 0 : lately))),
      total: sumOf(codes.map((count) => (count.code === OWN_ERRORS ? 0 : count.total))),
      codes: codes.filter(({ code }) => code !== 'ok').sort((a, b) => b.total - a.total),
      shadow: shadows.get(summary.id) ?? [],
      // Worked out for those that are shown.
      get latency() {
        return latencyOfRoute(summary.id);
      },
    };
  };
  const rows = summarizeRoutes(config).map((route) =>
    describe({ ...route, host: route.host === '*' ? null : route.host }),
  );
  if (!counted.has('none')) return rows;
  const nowhere = { id: 'none', host: null, methods: '', path: 'no route', allow: '', upstream: '' };
  return [...rows, describe({ ...nowhere, enforce: true })];
}

function countByRoute(now: Reading, recent: Reading, metric: string): Map<string, CodeCount[]> {
  const counts = new Map<string, CodeCount[]>();
  const lately = recent.get(metric);
  for (const [key, series] of now.get(metric) ?? []) {
    const [route, code] = [textOf(series, 'route'), textOf(series, 'code')];
    const codes = counts.get(route) ?? [];
    codes.push({ code, total: series.value, lately: lately?.get(key)?.value ?? 0 });
    counts.set(route, codes);
  }
  return counts;
}

/** What stands among the codes for 5xx that upstreams answered: those requests were let through. */
const OWN_ERRORS = '5xx of the upstream';

/** All 5xx by route, less those that have a code. */
function countOwnErrors(
  now: Reading,
  recent: Reading,
  counted: ReadonlyMap<string, readonly CodeCount[]>,
): Map<string, CodeCount> {
  const where = { status: '5xx' };
  const lately = totalsBy(recent, 'cognito_auth_proxy_requests_total', 'route', where);
  const errors = new Map<string, CodeCount>();
  for (const [route, all] of totalsBy(now, 'cognito_auth_proxy_requests_total', 'route', where)) {
    const ours = (counted.get(route) ?? []).filter(({ code }) => (statusOf(code) ?? 0) >= 500);
    const total = all - sumOf(ours.map((count) => count.total));
    if (total <= 0) continue;
    const late = (lately.get(route) ?? 0) - sumOf(ours.map((count) => count.lately));
    errors.set(route, { code: OWN_ERRORS, total, lately: Math.max(0, late) });
  }
  return errors;
}

function describeLimits(now: Reading, { server, upstreams, rateLimits, routes }: Config): LimitStatus[] {
  const { connections, webSockets } = server.limits;
  const used = (name: string): number => gaugeOf(now, `cognito_auth_proxy_${name}`) ?? 0;
  const limits: LimitStatus[] = [
    { name: 'client connections', used: used('client_connections'), limit: connections },
    { name: 'WebSockets', used: used('websockets'), limit: webSockets ?? connections },
  ];
  for (const [upstream, settings] of Object.entries(upstreams)) {
    const { requests, queue } = settings.limits;
    if (requests === null) continue;
    const of = (name: string): number => gaugeOf(now, `cognito_auth_proxy_${name}`, { upstream }) ?? 0;
    limits.push(
      { name: `requests to ${upstream}`, used: of('upstream_requests'), limit: requests },
      { name: `waiting for ${upstream}`, used: of('upstream_requests_waiting'), limit: queue },
    );
  }
  if (routes.some((route) => route.rateLimit !== undefined)) {
    limits.push({
      name: 'callers counted in memory',
      used: used('rate_limit_entries'),
      limit: rateLimits.entries,
    });
  }
  return limits;
}
