import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts';
import { OPEN_ROUTE } from '../support/open-route.ts';
import { type ProxyUnderTest, startProxy } from '../support/proxy.ts';
import { type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts';
import { refusingOrigin } from '../support/refusing-origin.ts';
import { runOut } from '../support/run-out.ts';
import { answer, raw, reset, silence } from '../support/upstream-answers.ts';

let clock: FakeClock;
let first: RecordingUpstream;
let second: RecordingUpstream;
let proxy: ProxyUnderTest;

beforeEach(async () => {
  clock = createFakeClock(Date.now());
  first = await startRecordingUpstream();
  second = await startRecordingUpstream();
  proxy = await startProxy(
    {
      upstreams: {
        board: { urls: [`${first.origin}/one`, `${second.origin}/two`], timeouts: { response: '100ms' } },
      },
      routes: [OPEN_ROUTE],
    },
    { clock },
  );
});
afterEach(async () => {
  await runOut(clock, proxy.stop());
  await first.stop();
  await second.stop();
});

const post = async () => (await proxy.request('POST /x HTTP/1.1', [], 'body')).status;
const posts = async (count: number) => {
  const statuses: number[] = [];
  for (let i = 0; i < count; i++) statuses.push(await post());
  return statuses;
};
const seen = () => [first.requests.length, second.requests.length];

describe('several addresses', () => {
  it('take turns, each with its own host and base path', async () => {
    expect(await posts(6)).toEqual([200, 200, 200, 200, 200, 200]);
    expect(seen()).toEqual([3, 3]);
    expect([first, second].map(({ requests }) => requests[0]?.target)).toEqual(['/one/x', '/two/x']);
    expect([first, second].map(({ requests }) => requests[0]?.values('host'))).toEqual([
      [new URL(first.origin).host],
      [new URL(second.origin).host],
    ]);
  });

  it('stand in for each other: a retry goes to another one', async () => {
    first.on('*', reset());
    const statuses = await Promise.all(
      Array.from({ length: 20 }, async () => (await proxy.request('GET /x HTTP/1.1')).status),
    );
    expect(new Set(statuses)).toEqual(new Set([200]));
    // Retried where it goes, the request is for that address.
    expect(new Set(second.requests.map(({ target, values }) => `${values('host')} ${target}`))).toEqual(
      new Set([`${new URL(second.origin).host} /two/x`]),
    );
  });
});

describe('an address that fails', () => {
  it('is set aside after three failures, for longer each time, and comes back when it answers', async () => {
    first.on('*', reset());
    expect(await posts(8)).toEqual([502, 200, 502, 200, 502, 200, 200, 200]);
    clock.advance(4_999);
    expect(await posts(4)).toEqual([200, 200, 200, 200]);
    // Five seconds later one request tries it, and it is set aside for ten.
    clock.advance(1);
    expect((await posts(4)).filter((status) => status === 502)).toHaveLength(1);
    clock.advance(9_999);
    expect(await posts(4)).toEqual([200, 200, 200, 200]);
    const tried = first.requests.length;
    first.on('*', answer());
    clock.advance(1);
    expect(await posts(6)).toEqual([200, 200, 200, 200, 200, 200]);
    expect(first.requests.length).toBe(tried + 3);
    expect(
      proxy.log.map(({ message }) => message).filter((text) => text.startsWith('upstream address')),
    ).toEqual(['upstream address set aside', 'upstream address set aside', 'upstream address answers again']);
  });

  it.each([
    ['refuses connections', 502],
    ['says nothing', 504],
  ])('is set aside where it %s', async (what, status) => {
    if (what === 'says nothing') first.on('*', silence());
    else
      await proxy.reload({
        upstreams: { board: { urls: [await refusingOrigin(), second.origin] } },
        routes: [OPEN_ROUTE],
      });
    for (let i = 0; i < 3; i++) {
      const failing = post();
      if (what === 'says nothing') {
        await first.request(i);
        clock.advance(100);
      }
      expect([await failing, await post()]).toEqual([status, 200]);
    }
    expect(await posts(4)).toEqual([200, 200, 200, 200]);
  });

  it.each([
    ['answers with errors', answer(500, 'no'), 500],
    ['answers what is no HTTP', raw('SSH-2.0\r\n\r\n'), 502],
  ])('is not set aside where it %s: it is there', async (_what, reply, status) => {
    first.on('*', reply);
    expect(await posts(10)).toEqual(Array(5).fill([status, 200]).flat());
  });

  it('still gets its turn where all have failed', async () => {
    first.on('*', reset());
    second.on('*', reset());
    expect(new Set(await posts(10))).toEqual(new Set([502]));
    first.on('*', answer());
    expect(await posts(2)).toContain(200);
  });
});
