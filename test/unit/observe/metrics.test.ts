import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { exposition } from '../../../src/observe/combine-metrics.ts';
import { GAUGES, type RegisteredMetrics, registerMetrics, SAMPLE } from '../../support/registered-metrics.ts';

let own: RegisteredMetrics;
beforeEach(() => {
  own = registerMetrics();
});

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
    own = registerMetrics(true);
    const registered = (own.registry.getMetricsAsArray() as unknown as Registered[])
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
    own.metrics.count(SAMPLE);
    const durations = (await own.series()).filter((line) => line.startsWith('http_server_request_duration'));
    for (const line of durations) expect(line).not.toContain('route=');
  });
});

describe('a series', () => {
  it('appears when it is first used; those of reloads and of the token cache are there from the start', async () => {
    expect((await own.series()).filter(without(GAUGES_ALWAYS_THERE))).toEqual([
      'cognito_auth_proxy_config_reloads_total{result="success"} 0',
      'cognito_auth_proxy_config_reloads_total{result="failure"} 0',
      'cognito_auth_proxy_config_last_reload_success_timestamp_seconds 1700000000',
      'cognito_auth_proxy_config_last_reload_successful 1',
      'cognito_auth_proxy_token_cache_total{result="hit"} 0',
      'cognito_auth_proxy_token_cache_total{result="miss"} 0',
    ]);
  });

  it('is there with its labels once it is', async () => {
    own.metrics.count(SAMPLE);
    own.metrics.count({ ...SAMPLE, status: 404, upstreamSeconds: 0.3 });
    own.metrics.count({
      ...SAMPLE,
      method: 'POST',
      status: 403,
      decision: 'deny',
      code: 'AUTHZ_GROUP_REQUIRED',
      upstream: null,
    });
    own.metrics.count({ ...SAMPLE, status: 502, decision: 'fault', code: 'UPSTREAM_RESET', upstream: null });
    own.metrics.count({ ...SAMPLE, status: 499, decision: null, route: 'none', upstream: null });
    own.metrics.tokenCacheUsed('miss');
    own.metrics.tokenCacheUsed('hit');
    own.metrics.tokenCacheUsed('hit');
    own.metrics.keysFetched('main', 'success');
    own.metrics.keysFetched('main', 'absent');
    own.metrics.connectionRefused('LIMIT_CONNECTIONS');
    own.metrics.credentialsUsed('identity', 'cached', null);
    own.metrics.credentialsUsed('identity', 'fetched', 0.2);
    own.metrics.credentialsUsed('own/board', 'fetched', 0.3);
    own.metrics.rateStoreAsked('success');
    own.metrics.rateStoreAsked('failure');
    own.metrics.rateStoreAsked('success');
    expect((await own.series()).filter(without(/_bucket/, /_sum/, /config_/)).sort()).toEqual(
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
    own = registerMetrics(false, { ...GAUGES, keyAges: () => ages, upstreamConnections: () => new Map() });
    expect((await own.series()).some((line) => line.includes('jwks_age_seconds{pool="main"}'))).toBe(true);
    ages.clear();
    expect((await own.series()).some((line) => line.includes('jwks_age_seconds{'))).toBe(false);
  });

  it('of a duration counts seconds into the buckets of OpenTelemetry', async () => {
    own.metrics.count({ ...SAMPLE, seconds: 0.06, upstreamSeconds: 11 });
    const buckets = (await own.series()).filter((line) => line.includes('request_duration_seconds_bucket'));
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
    expect(await own.series()).toContain(
      'http_server_request_duration_seconds_sum{method="GET",status="200"} 0.06',
    );
    expect(await own.series()).toContain(
      'cognito_auth_proxy_upstream_duration_seconds_bucket{le="10",upstream="board",status="200"} 0',
    );
  });
});

describe('the exposition', () => {
  it('is of the type that Prometheus asks for', async () => {
    expect((await exposition(own.registry)).contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
  });

  it('tells of the process too', async () => {
    const { text } = await exposition(own.registry);
    for (const name of [
      'process_resident_memory_bytes',
      'nodejs_eventloop_lag_seconds',
      'process_cpu_seconds_total',
    ]) {
      expect(text).toMatch(new RegExp(`^${name} `, 'm'));
    }
  });
});
