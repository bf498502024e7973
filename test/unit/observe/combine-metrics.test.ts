import { describe, expect, it } from 'vitest';
import type { Gauges } from '../../../src/core/observer.ts';
import {
  combineMetrics,
  combineSamples,
  mergeMetrics,
  sampleOwn,
} from '../../../src/observe/combine-metrics.ts';
import { createMetrics, createRegistry } from '../../../src/observe/metrics.ts';
import { createReloadMetrics } from '../../../src/observe/reload-metrics.ts';
import type { RequestSample } from '../../../src/observe/request-metrics.ts';
import { metricValue } from '../../support/served.ts';

const SAMPLE: RequestSample = {
  method: 'GET',
  status: 200,
  route: 'posts',
  decision: 'allow',
  code: null,
  shadow: null,
  seconds: 0.2,
  upstream: 'board',
  upstreamSeconds: 0.1,
};

function worker(gauges: Partial<Gauges> = {}) {
  const registry = createRegistry();
  const metrics = createMetrics({
    registry,
    routeHistograms: false,
    gauges: {
      inFlight: () => 0,
      tokenCacheEntries: () => 0,
      keyAges: () => new Map(),
      keyRefreshes: () => new Map(),
      connections: () => 0,
      webSockets: () => 0,
      upstreamConnections: () => new Map(),
      failingAddresses: () => new Map(),
      admissions: () => new Map(),
      ...gauges,
    },
  });
  return { registry, metrics, json: () => registry.getMetricsAsJSON() as Promise<object[]> };
}

describe('a sample', () => {
  it('stays as it is, whatever is counted afterwards', async () => {
    let inFlight = 1;
    const { registry, metrics } = worker({ inFlight: () => inFlight });
    const reloads = createReloadMetrics(registry, () => 1_700_000_000);
    const countEverything = (): void => {
      metrics.count({ ...SAMPLE, shadow: 'AUTHN_TOKEN_MISSING' });
      metrics.tokenCacheUsed('hit');
      metrics.keysFetched('main', 'failure');
      metrics.credentialsUsed('main', 'fetched', 0.2);
      metrics.rateStoreAsked('failure');
      metrics.connectionRefused('LIMIT_CONNECTIONS');
      reloads.reloaded('failure');
      inFlight += 1;
    };
    countEverything();
    const sample = await sampleOwn(registry);
    const asItWas = structuredClone(sample);
    countEverything();
    const later = await sampleOwn(registry);
    expect(sample).toEqual(asItWas);
    expect(later).not.toEqual(asItWas);
  });
});

describe('the metrics of several workers', () => {
  it('are one exposition: sums, and the largest where workers tell the same thing', async () => {
    const first = worker({
      inFlight: () => 2,
      tokenCacheEntries: () => 10,
      keyAges: () => new Map([['main', 5]]),
      keyRefreshes: () => new Map([['main', 3600]]),
    });
    const second = worker({
      inFlight: () => 3,
      tokenCacheEntries: () => 20,
      keyAges: () => new Map([['main', 7]]),
      keyRefreshes: () => new Map([['main', 3600]]),
    });
    for (const { metrics } of [first, second, second]) metrics.count(SAMPLE);
    second.metrics.count({ ...SAMPLE, route: 'only-here' });
    for (const { metrics } of [first, second]) metrics.keysFetched('main', 'success');
    const primary = createRegistry();
    createReloadMetrics(primary, () => 1_700_000_000).reloaded('failure');

    const { contentType, text } = await combineMetrics([await first.json(), await second.json()], primary);
    expect(contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
    const expected: [string, number][] = [
      ['cognito_auth_proxy_requests_total{route="posts",status="2xx"}', 3],
      ['cognito_auth_proxy_requests_total{route="only-here",status="2xx"}', 1],
      ['cognito_auth_proxy_requests_in_flight', 5],
      ['cognito_auth_proxy_token_cache_entries', 30],
      ['cognito_auth_proxy_jwks_fetch_total{pool="main",result="success"}', 1],
      ['cognito_auth_proxy_jwks_age_seconds{pool="main"}', 7],
      ['cognito_auth_proxy_jwks_refresh_seconds{pool="main"}', 3600],
      ['http_server_request_duration_seconds_count{method="GET",status="200"}', 4],
      ['http_server_request_duration_seconds_bucket{le="0.25",method="GET",status="200"}', 4],
      ['cognito_auth_proxy_config_reloads_total{result="failure"}', 1],
      ['cognito_auth_proxy_config_last_reload_success_timestamp_seconds', 1_700_000_000],
    ];
    for (const [series, value] of expected)
      expect([series, metricValue(text, series)]).toEqual([series, value]);
    expect(
      metricValue(text, 'http_server_request_duration_seconds_sum{method="GET",status="200"}'),
    ).toBeCloseTo(0.8);
  });

  it('can be merged again and again, and stay as large as they are few', async () => {
    let merged: readonly object[] = [];
    let size = 0;
    for (let death = 1; death <= 50; death += 1) {
      const { metrics, json } = worker();
      metrics.count(SAMPLE);
      merged = mergeMetrics([merged, await json()]);
      if (death === 1) size = JSON.stringify(merged).length;
    }
    expect(JSON.stringify(merged).length).toBeLessThan(size * 1.5);
    const { text } = await combineMetrics([merged], createRegistry());
    expect(metricValue(text, 'cognito_auth_proxy_requests_total{route="posts",status="2xx"}')).toBe(50);
    expect(metricValue(text, 'http_server_request_duration_seconds_count{method="GET",status="200"}')).toBe(
      50,
    );
  });

  it('are sampled without those of the process and of Node, whose event loop figures are for scrapes', async () => {
    const { registry, metrics } = worker();
    metrics.count(SAMPLE);
    const names = (await sampleOwn(registry)).map((metric) => (metric as { name: string }).name);
    expect(names).toContain('cognito_auth_proxy_requests_total');
    expect(names.filter((name) => /^(process|nodejs)_/.test(name))).toEqual([]);

    const two = await combineSamples(
      [await sampleOwn(registry), await sampleOwn(registry)],
      createRegistry(),
    );
    expect(
      two.find((metric) => (metric as { name: string }).name === 'cognito_auth_proxy_requests_total'),
    ).toMatchObject({
      values: [{ value: 2, labels: { route: 'posts', status: '2xx' } }],
    });
    expect(
      two.find((metric) => (metric as { name: string }).name === 'cognito_auth_proxy_route_durations_total'),
    ).toMatchObject({ values: [{ value: 2, labels: { route: 'posts', bucket: '6' } }] });
  });
});
