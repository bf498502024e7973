import { beforeEach, describe, expect, it } from 'vitest';
import { sampleOwn } from '../../../src/observe/combine-metrics.ts';
import type { RequestSample } from '../../../src/observe/request-metrics.ts';
import { type RegisteredMetrics, registerMetrics, SAMPLE } from '../../support/registered-metrics.ts';

let own: RegisteredMetrics;
beforeEach(() => {
  own = registerMetrics();
});

/** What samples have of the latency of routes; undefined: nothing. */
async function sampledDurations(): Promise<unknown> {
  const sample = (await sampleOwn(own.registry)) as readonly { name: string; values: unknown }[];
  return sample.find(({ name }) => name === 'cognito_auth_proxy_route_durations_total')?.values;
}

describe('the number of series', () => {
  it('does not grow with methods that nobody knows', async () => {
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE']) {
      own.metrics.count({ ...SAMPLE, method });
    }
    for (const method of ['PROPFIND', 'get', 'M-SEARCH', 'QUERY', '_OTHER', '', '__proto__', 'constructor']) {
      own.metrics.count({ ...SAMPLE, method });
    }
    const counts = (await own.series()).filter((line) =>
      line.startsWith('http_server_request_duration_seconds_count'),
    );
    expect(counts).toHaveLength(9);
    expect(counts).toContain('http_server_request_duration_seconds_count{method="_OTHER",status="200"} 8');
  });

  it('has the route in histograms only where asked for', async () => {
    own = registerMetrics(true);
    own.metrics.count(SAMPLE);
    own.metrics.count({ ...SAMPLE, route: 'none', method: 'BREW' });
    expect(
      (await own.series()).filter((line) => line.startsWith('http_server_request_duration_seconds_count')),
    ).toEqual([
      'http_server_request_duration_seconds_count{method="GET",status="200",route="posts"} 1',
      'http_server_request_duration_seconds_count{method="_OTHER",status="200",route="none"} 1',
    ]);
  });

  it('does not grow with the routes that the status page tells latency of', async () => {
    const before = (await own.series()).length;
    own.metrics.count(SAMPLE);
    own.metrics.count({ ...SAMPLE, seconds: 11 });
    own.metrics.count({ ...SAMPLE, seconds: 11 });
    expect(await sampledDurations()).toEqual([
      { labels: { route: 'posts', bucket: '3' }, value: 1 },
      { labels: { route: 'posts', bucket: '14' }, value: 2 },
    ]);
    expect((await own.series()).filter((line) => line.includes('posts'))).toEqual([
      'cognito_auth_proxy_requests_total{route="posts",status="2xx"} 3',
      'cognito_auth_proxy_decisions_total{route="posts",decision="allow",code="ok"} 3',
    ]);
    const after = (await own.series()).length;
    own.metrics.count({ ...SAMPLE, route: 'other', seconds: 3 });
    expect([before < after, (await own.series()).length]).toEqual([true, after + 2]);
    expect(JSON.stringify(await own.registry.getMetricsAsJSON())).not.toContain('route_durations');
  });

  it('has no route counted twice', async () => {
    own = registerMetrics(true);
    own.metrics.count(SAMPLE);
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
    for (const variant of variants) own.metrics.count({ ...SAMPLE, ...variant });
    const all = await own.series();
    expect(all.filter((line) => line.includes('decisions_total'))).toHaveLength(5);
    expect(all.filter((line) => line.includes('decisions_total')).every((line) => / [12]$/.test(line))).toBe(
      true,
    );
    expect(all.filter((line) => line.includes('requests_total'))).toHaveLength(3);
  });
});
