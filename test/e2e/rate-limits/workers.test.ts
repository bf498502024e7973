import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bearer } from '../../support/proxy.ts';
import type { RawResponse } from '../../support/raw-http.ts';
import {
  followServe,
  metricValue,
  prepareSurroundings,
  runServe,
  type Served,
  type Surroundings,
} from '../../support/served.ts';
import { held } from '../../support/upstream-answers.ts';

let around: Surroundings;
let served: Served;

beforeAll(async () => {
  around = await prepareSurroundings();
  const limited = { allow: 'authenticated', upstream: 'board' } as const;
  around.write(
    'group.yaml',
    around.complete({
      server: { workers: 2 },
      upstreams: {
        board: { url: around.upstream.origin },
        small: { url: around.upstream.origin, limits: { requests: 2, queue: 0 } },
      },
      routes: [
        {
          ...limited,
          id: 'posts',
          match: { path: '/posts' },
          rateLimit: { by: 'caller', requests: 5, per: '1h' },
        },
        { id: 'small', match: { path: '/small' }, allow: 'public', upstream: 'small' },
      ],
    }),
  );
  served = await followServe(runServe(around.folder, ['serve', '--config', 'group.yaml']));
}, 60_000);

afterAll(async () => {
  expect(await served.stop()).toBe(0);
  await around.stop();
}, 60_000);

const ask = (sub: string): Promise<RawResponse> =>
  served.request('GET /posts HTTP/1.1', [bearer(around.token({ sub }))]);

/** Connections are handed to the workers in turn. */
async function statuses(sub: string, count: number): Promise<number[]> {
  const answers = await Promise.all(Array.from({ length: count }, () => ask(sub)));
  return answers.map(({ status }) => status).sort();
}

const times = (count: number, status: number): number[] => Array.from({ length: count }, () => status);

describe('several workers', () => {
  it('count together, exactly', async () => {
    expect(await statuses('alice', 30)).toEqual([...times(5, 200), ...times(25, 429)]);
    expect(await statuses('bob', 4)).toEqual(times(4, 200));
    const last = await ask('bob');
    expect([last.status, last.header('ratelimit')]).toEqual([
      200,
      expect.stringMatching(/^"posts";r=0;t=\d+$/),
    ]);
    const over = await ask('bob');
    expect([over.status, over.header('ratelimit')]).toEqual([
      429,
      `"posts";r=0;t=${over.header('retry-after')}`,
    ]);
  });

  it('show one count of callers, and of questions', async () => {
    const metrics = await served.metrics();
    expect(metricValue(metrics, 'cognito_auth_proxy_rate_limit_entries')).toBe(2);
    expect(
      metricValue(metrics, 'cognito_auth_proxy_rate_limit_store_total{result="success"}'),
    ).toBeGreaterThanOrEqual(10);
    expect(
      metricValue(metrics, 'cognito_auth_proxy_rate_limit_store_total{result="failure"}'),
    ).toBeUndefined();
  });

  it('share the limit of an upstream', async () => {
    const slow = held();
    around.upstream.on('/small', slow);
    const answers: RawResponse[] = [];
    const asked = Array.from({ length: 8 }, async () => {
      answers.push(await served.request('GET /small HTTP/1.1'));
    });
    while (answers.length < 6) await served.metrics();
    expect(answers.map((answer) => [answer.status, answer.json()])).toEqual(
      Array.from({ length: 6 }, () => [503, expect.objectContaining({ code: 'LIMIT_UPSTREAM' })]),
    );
    expect(
      metricValue(await served.metrics(), 'cognito_auth_proxy_upstream_requests{upstream="small"}'),
    ).toBe(2);
    slow.release();
    await Promise.all(asked);
    expect(answers.slice(6).map(({ status }) => status)).toEqual([200, 200]);
  });

  it('keep the counts when one of them dies', async () => {
    const workers = served.log.filter(({ message }) => message === 'a worker listens');
    process.kill(Number(workers[0]?.['worker']), 'SIGKILL');
    await served.logged('a worker died and is replaced');
    await served.logged('a worker listens');
    expect(await statuses('alice', 4)).toEqual(times(4, 429));
  });
});
