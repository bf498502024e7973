import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Gauges } from '../../../src/core/observer.ts';
import { exposition, sampleOwn } from '../../../src/observe/combine-metrics.ts';
import { createRateEntriesMetric } from '../../../src/observe/limit-metrics.ts';
import {
  createMetrics,
  createRegistry,
  type Metrics,
  type OwnRegistry,
} from '../../../src/observe/metrics.ts';
import { createReloadMetrics } from '../../../src/observe/reload-metrics.ts';
import type { RequestSample } from '../../../src/observe/request-metrics.ts';

const GAUGES: Gauges = {
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

const SAMPLE: RequestSample = {
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

let registry: OwnRegistry;
let metrics: Metrics;
function register(routeHistograms = false, gauges: Gauges = GAUGES): void {
  registry = createRegistry();
  createReloadMetrics(registry, () => 1_700_000_000);
  createRateEntriesMetric(registry, () => 9);
  metrics = createMetrics({ registry, routeHistograms, gauges });
}
beforeEach(() => register());

/** Ours: without the defaults of the process, and without comments. */
async function series(): Promise<string[]> {
  const { text } = await exposition(registry);
  return text.split('\n').filter((line) => /^(cognito_|http_)/.test(line));
}

/** What samples have of the latency of routes; undefined: nothing. */
async function sampledDurations(): Promise<unknown> {
  const sample = (await sampleOwn(registry)) as readonly { name: string; values: unknown }[];
  return sample.find(({ name }) => name === 'cognito_auth_proxy_route_durations_total')?.values;
}

/** What is counted when it is asked for, used or not. */
const GAUGES_ALWAYS_THERE =
  /_(in_flight|entries|connections|failing_addresses|age_seconds|refresh_seconds|websockets|upstream_requests\w*)\b/;

const without =
  (...patterns: RegExp[]) =>
  (line: string) =>
    !patterns.some((pattern) => pattern.test(line));

describe('docs/metrics.md', () => {
  interface Documented {
    readonly name: string;
    readonly labels: readonly string[];
    readonly type: string;
    readonly combined: string;
  }

  function documented(): Documented[] {
    const text = readFileSync(new URL('../../../docs/metrics.md', import.meta.url), 'utf8');
    return [...text.matchAll(/^\| `(\w+)` +\|([^|]*)\|([^|]*)\|([^|]*)\|$/gm)].map(
      ([, name = '', labels = '', says = '', combined = '']) => ({
        name,
        labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label = '']) => label).sort(),
        type: says.includes('histogram') ? 'histogram' : name.endsWith('_total') ? 'counter' : 'gauge',
        combined: combined.trim(),
      }),
    );
  }

  /** What prom-client knows of each metric. */
  interface Registered {
    readonly name: string;
    readonly type: string;
    readonly labelNames: readonly string[];
    readonly aggregator: string;
  }

  it('lists exactly what is registered, with its labels and how workers combine', () => {
    register(true);
    const registered = (registry.getMetricsAsArray() as unknown as Registered[])
      .filter(({ name }) => !/^(process|nodejs)_/.test(name))
      .map(({ name, type, labelNames, aggregator }) => ({
        name,
        labels: labelNames.filter((label) => label !== 'le').toSorted(),
        type,
        // Registered by the primary alone.
        combined: /_config_|_rate_limit_entries$/.test(name) ? 'once' : aggregator,
      }));
    expect(documented()).toEqual(
      documented().map(({ name }) => registered.find((metric) => metric.name === name)),
    );
    expect(
      documented()
        .map(({ name }) => name)
        .sort(),
    ).toEqual(registered.map(({ name }) => name).sort());
  });

  it('names no label beyond these where histograms have no route', async () => {
    metrics.count(SAMPLE);
    const durations = (await series()).filter((line) => line.startsWith('http_server_request_duration'));
    for (const line of durations) expect(line).not.toContain('route=');
  });
});

describe('a series', () => {
  it('appears when it is first used; those of reloads and of the token cache are there from the start', async () => {
    expect((await series()).filter(without(GAUGES_ALWAYS_THERE))).toEqual([
      'cognito_auth_proxy_config_reloads_total{result="success"} 0',
      'cognito_auth_proxy_config_reloads_total{result="failure"} 0',
      'cognito_auth_proxy_config_last_reload_success_timestamp_seconds 1700000000',
      'cognito_auth_proxy_config_last_reload_successful 1',
      'cognito_auth_proxy_token_cache_total{result="hit"} 0',
      'cognito_auth_proxy_token_cache_total{result="miss"} 0',
    ]);
  });

  it('is there with its labels once it is', async () => {
    metrics.count(SAMPLE);
    metrics.count({ ...SAMPLE, status: 404, upstreamSeconds: 0.3 });
    metrics.count({
      ...SAMPLE,
      method: 'POST',
      status: 403,
      decision: 'deny',
      code: 'AUTHZ_GROUP_REQUIRED',
      upstream: null,
    });
    metrics.count({ ...SAMPLE, status: 502, decision: 'fault', code: 'UPSTREAM_RESET', upstream: null });
    metrics.count({ ...SAMPLE, status: 499, decision: null, route: 'none', upstream: null });
    metrics.tokenCacheUsed('miss');
    metrics.tokenCacheUsed('hit');
    metrics.tokenCacheUsed('hit');
    metrics.keysFetched('main', 'success');
    metrics.keysFetched('main', 'absent');
    metrics.connectionRefused('LIMIT_CONNECTIONS');
    metrics.credentialsUsed('identity', 'cached', null);
    metrics.credentialsUsed('identity', 'fetched', 0.2);
    metrics.credentialsUsed('own/board', 'fetched', 0.3);
    metrics.rateStoreAsked('success');
    metrics.rateStoreAsked('failure');
    metrics.rateStoreAsked('success');
    expect((await series()).filter(without(/_bucket/, /_sum/, /config_/)).sort()).toEqual(
      [
        'http_server_request_duration_seconds_count{method="GET",status="200"} 1',
        'http_server_request_duration_seconds_count{method="GET",status="404"} 1',
        'http_server_request_duration_seconds_count{method="POST",status="403"} 1',
        'http_server_request_duration_seconds_count{method="GET",status="502"} 1',
        'http_server_request_duration_seconds_count{method="GET",status="499"} 1',
        'cognito_auth_proxy_requests_total{route="posts",status="2xx"} 1',
        'cognito_auth_proxy_requests_total{route="posts",status="4xx"} 2',
        'cognito_auth_proxy_requests_total{route="posts",status="5xx"} 1',
        'cognito_auth_proxy_requests_total{route="none",status="4xx"} 1',
        'cognito_auth_proxy_decisions_total{route="posts",decision="allow",code="ok"} 2',
        'cognito_auth_proxy_decisions_total{route="posts",decision="deny",code="AUTHZ_GROUP_REQUIRED"} 1',
        'cognito_auth_proxy_decisions_total{route="posts",decision="fault",code="UPSTREAM_RESET"} 1',
        'cognito_auth_proxy_decisions_total{route="none",decision="deny",code="LIMIT_CONNECTIONS"} 1',
        'cognito_auth_proxy_token_cache_total{result="hit"} 2',
        'cognito_auth_proxy_token_cache_total{result="miss"} 1',
        'cognito_auth_proxy_jwks_fetch_total{pool="main",result="success"} 1',
        'cognito_auth_proxy_jwks_fetch_total{pool="main",result="absent"} 1',
        'cognito_auth_proxy_credentials_total{pool="identity",result="cached"} 1',
        'cognito_auth_proxy_credentials_total{pool="identity",result="fetched"} 1',
        'cognito_auth_proxy_credentials_total{pool="own/board",result="fetched"} 1',
        'cognito_auth_proxy_credentials_duration_seconds_count{pool="identity"} 1',
        'cognito_auth_proxy_credentials_duration_seconds_count{pool="own/board"} 1',
        'cognito_auth_proxy_upstream_duration_seconds_count{upstream="board",status="200"} 1',
        'cognito_auth_proxy_upstream_duration_seconds_count{upstream="board",status="404"} 1',
        'cognito_auth_proxy_token_cache_entries 7',
        'cognito_auth_proxy_jwks_age_seconds{pool="main"} 12.5',
        'cognito_auth_proxy_jwks_refresh_seconds{pool="main"} 3600',
        'cognito_auth_proxy_upstream_connections{upstream="board"} 2',
        'cognito_auth_proxy_upstream_connections{upstream="wiki"} 0',
        'cognito_auth_proxy_requests_in_flight 3',
        'cognito_auth_proxy_client_connections 11',
        'cognito_auth_proxy_websockets 5',
        'cognito_auth_proxy_upstream_requests{upstream="board"} 4',
        'cognito_auth_proxy_upstream_failing_addresses{upstream="board"} 1',
        'cognito_auth_proxy_upstream_requests_waiting{upstream="board"} 1',
        'cognito_auth_proxy_rate_limit_store_total{result="success"} 2',
        'cognito_auth_proxy_rate_limit_store_total{result="failure"} 1',
        'cognito_auth_proxy_rate_limit_entries 9',
      ].sort(),
    );
  });

  it('of a gauge is gone when what it tells of is', async () => {
    const ages = new Map([['main', 1]]);
    register(false, { ...GAUGES, keyAges: () => ages, upstreamConnections: () => new Map() });
    expect((await series()).some((line) => line.includes('jwks_age_seconds{pool="main"}'))).toBe(true);
    ages.clear();
    expect((await series()).some((line) => line.includes('jwks_age_seconds{'))).toBe(false);
  });

  it('of a duration counts seconds into the buckets of OpenTelemetry', async () => {
    metrics.count({ ...SAMPLE, seconds: 0.06, upstreamSeconds: 11 });
    const buckets = (await series()).filter((line) => line.includes('request_duration_seconds_bucket'));
    expect(buckets.map((line) => /le="([^"]+)".* (\d)$/.exec(line)?.slice(1).join(':'))).toEqual([
      '0.005:0',
      '0.01:0',
      '0.025:0',
      '0.05:0',
      '0.075:1',
      '0.1:1',
      '0.25:1',
      '0.5:1',
      '0.75:1',
      '1:1',
      '2.5:1',
      '5:1',
      '7.5:1',
      '10:1',
      '+Inf:1',
    ]);
    expect(await series()).toContain(
      'http_server_request_duration_seconds_sum{method="GET",status="200"} 0.06',
    );
    expect(await series()).toContain(
      'cognito_auth_proxy_upstream_duration_seconds_bucket{le="10",upstream="board",status="200"} 0',
    );
  });
});

describe('the number of series', () => {
  it('does not grow with methods that nobody knows', async () => {
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE']) {
      metrics.count({ ...SAMPLE, method });
    }
    for (const method of ['PROPFIND', 'get', 'M-SEARCH', 'QUERY', '_OTHER', '', '__proto__', 'constructor']) {
      metrics.count({ ...SAMPLE, method });
    }
    const counts = (await series()).filter((line) =>
      line.startsWith('http_server_request_duration_seconds_count'),
    );
    expect(counts).toHaveLength(9);
    expect(counts).toContain('http_server_request_duration_seconds_count{method="_OTHER",status="200"} 8');
  });

  it('has the route in histograms only where asked for', async () => {
    register(true);
    metrics.count(SAMPLE);
    metrics.count({ ...SAMPLE, route: 'none', method: 'BREW' });
    expect(
      (await series()).filter((line) => line.startsWith('http_server_request_duration_seconds_count')),
    ).toEqual([
      'http_server_request_duration_seconds_count{method="GET",status="200",route="posts"} 1',
      'http_server_request_duration_seconds_count{method="_OTHER",status="200",route="none"} 1',
    ]);
  });

  it('does not grow with the routes that the status page tells latency of', async () => {
    const before = (await series()).length;
    metrics.count(SAMPLE);
    metrics.count({ ...SAMPLE, seconds: 11 });
    metrics.count({ ...SAMPLE, seconds: 11 });
    expect(await sampledDurations()).toEqual([
      { labels: { route: 'posts', bucket: '3' }, value: 1 },
      { labels: { route: 'posts', bucket: '14' }, value: 2 },
    ]);
    expect((await series()).filter((line) => line.includes('posts'))).toEqual([
      'cognito_auth_proxy_requests_total{route="posts",status="2xx"} 3',
      'cognito_auth_proxy_decisions_total{route="posts",decision="allow",code="ok"} 3',
    ]);
    const after = (await series()).length;
    metrics.count({ ...SAMPLE, route: 'other', seconds: 3 });
    expect([before < after, (await series()).length]).toEqual([true, after + 2]);
    expect(JSON.stringify(await registry.getMetricsAsJSON())).not.toContain('route_durations');
  });

  it('has no route counted twice', async () => {
    register(true);
    metrics.count(SAMPLE);
    expect(await sampledDurations()).toBeUndefined();
  });

  it('keeps apart what differs in one label alone', async () => {
    const variants: Partial<RequestSample>[] = [
      {},
      { decision: 'deny', code: 'X' },
      { decision: 'deny', code: 'Y' },
      { decision: 'fault', code: 'X' },
      { decision: null },
      { route: 'other' },
      { status: 301 },
    ];
    for (const variant of variants) metrics.count({ ...SAMPLE, ...variant });
    const all = await series();
    expect(all.filter((line) => line.includes('decisions_total'))).toHaveLength(5);
    expect(all.filter((line) => line.includes('decisions_total')).every((line) => / [12]$/.test(line))).toBe(
      true,
    );
    expect(all.filter((line) => line.includes('requests_total'))).toHaveLength(3);
  });
});

describe('the exposition', () => {
  it('is of the type that Prometheus asks for', async () => {
    expect((await exposition(registry)).contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
  });

  it('tells of the process too', async () => {
    const { text } = await exposition(registry);
    for (const name of [
      'process_resident_memory_bytes',
      'nodejs_eventloop_lag_seconds',
      'process_cpu_seconds_total',
    ]) {
      expect(text).toMatch(new RegExp(`^${name} `, 'm'));
    }
  });
});
