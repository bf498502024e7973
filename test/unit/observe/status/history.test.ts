import { describe, expect, it } from 'vitest';
import { History } from '../../../../src/observe/status/history.ts';
import { latencyOf } from '../../../../src/observe/status/quantile.ts';
import { difference, readMetrics, total, totalsBy } from '../../../../src/observe/status/reading.ts';
import { metricsOf, NIGHT, readingOf } from '../../../support/status-view.ts';

const REQUESTS = 'cognito_auth_proxy_decisions_total';
const counted = (allow: number, deny = 0, fault = 0) =>
  readingOf([
    `${REQUESTS}{decision="allow",code="ok"} ${allow}`,
    `${REQUESTS}{decision="deny",code="ROUTE_NOT_FOUND"} ${deny}`,
    `${REQUESTS}{decision="fault",code="UPSTREAM_TIMEOUT"} ${fault}`,
  ]);

describe('a reading', () => {
  it('adds up by labels, whatever their order', () => {
    const reading = readMetrics([
      {
        name: 'a',
        values: [
          { labels: { x: 1, y: 'p' }, value: 1 },
          { labels: { y: 'q', x: 1 }, value: 2 },
        ],
      },
      { name: 'empty' },
    ]);
    expect(total(reading, 'a')).toBe(3);
    expect(total(reading, 'a', { x: '1', y: 'q' })).toBe(2);
    expect(total(reading, 'b')).toBe(0);
    expect([...totalsBy(reading, 'a', 'y')]).toEqual([
      ['p', 1],
      ['q', 2],
    ]);
  });

  it('differs from an earlier one by what was counted; a worker that died takes nothing away', () => {
    const then = readMetrics(metricsOf(['a_total{x="1"} 5', 'a_total{x="2"} 5', 'g{x="1"} 5']));
    const now = readMetrics(
      metricsOf(['a_total{x="1"} 7', 'a_total{x="2"} 1', 'g{x="1"} 9', 'a_total{x="3"} 2']),
    );
    const between = difference(now, then);
    expect([...totalsBy(between, 'a_total', 'x')]).toEqual([
      ['1', 2],
      ['3', 2],
    ]);
    expect(total(between, 'g')).toBe(0);
  });
});

describe('the last minute', () => {
  it('is all of it for a young process, and then a window that moves on by quarters', () => {
    const history = new History(1_000);
    const seen: [number, number][] = [];
    // One request a second.
    for (let second = 5; second <= 180; second += 5) {
      const { reading, seconds } = history.add(counted(second), 1_000 + second * 1000, NIGHT + second * 1000);
      seen.push([total(reading, REQUESTS), seconds]);
    }
    expect(seen[0]).toEqual([5, 5]);
    expect(seen[11]).toEqual([60, 60]);
    for (const [requests, seconds] of seen.slice(12)) {
      expect(requests).toBe(seconds);
      expect(seconds).toBeGreaterThanOrEqual(60);
      expect(seconds).toBeLessThanOrEqual(75);
    }
  });
});

describe('the last hour', () => {
  it('is counted by the minute and not remembered for longer', () => {
    const history = new History(0);
    for (let minute = 0; minute < 200; minute += 1) {
      for (const part of [1, 2]) {
        const n = minute * 2 + part;
        history.add(counted(n, n * 2, n * 3), n * 30_000, NIGHT + minute * 60_000 + part * 20_000);
      }
    }
    expect(history.minutes).toHaveLength(60);
    expect(history.minutes.at(-1)).toEqual({ start: NIGHT + 199 * 60_000, passed: 2, refused: 4, failed: 6 });
  });

  it('loses nothing when a worker dies and takes its counts with it', () => {
    const history = new History(0);
    for (const [index, all] of [10, 4, 6].entries()) history.add(counted(all), index * 1_000, NIGHT + index);
    expect(history.minutes).toMatchObject([{ passed: 12 }]);
  });

  it("counts an upstream's own 5xx as failed, not as passed", () => {
    const history = new History(0);
    const answer = 'cognito_auth_proxy_upstream_duration_seconds_count{upstream="a",status="503"} 3';
    history.add(readingOf([`${REQUESTS}{decision="allow",code="ok"} 10`, answer]), 0, NIGHT);
    expect(history.minutes).toMatchObject([{ passed: 7, refused: 0, failed: 3 }]);
  });
});

describe('latency', () => {
  const buckets = (...pairs: [string, number][]) =>
    readingOf(pairs.map(([le, count]) => `d_bucket{le="${le}"} ${count}`));

  it('is read off the histogram as Prometheus does', () => {
    expect(latencyOf(buckets(['0.1', 0], ['0.2', 50], ['0.4', 100], ['+Inf', 100]), 'd')).toEqual({
      p50: 0.2,
      p99: expect.closeTo(0.396),
    });
    expect(latencyOf(buckets(['0.1', 0], ['0.2', 0], ['+Inf', 4]), 'd')).toEqual({ p50: 0.2, p99: 0.2 });
    expect(latencyOf(buckets(['0.1', 0], ['+Inf', 0]), 'd')).toBeNull();
    expect(latencyOf(buckets(), 'd')).toBeNull();
  });

  it('of a window begins where the bucket below ends, though nothing fell into that', () => {
    const then = buckets(['0.1', 8], ['0.2', 8], ['0.4', 8], ['+Inf', 8]);
    const now = buckets(['0.1', 8], ['0.2', 8], ['0.4', 18], ['+Inf', 18]);
    expect(latencyOf(difference(now, then), 'd')?.p50).toBeCloseTo(0.3);
  });
});
