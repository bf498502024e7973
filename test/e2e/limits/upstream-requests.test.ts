import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { untilIdle } from '../../support/attack.ts';
import { createFakeClock, type FakeClock } from '../../support/fake-clock.ts';
import { OPEN_ROUTE } from '../../support/open-route.ts';
import { type ProxyConfig, type ProxyUnderTest, startProxy } from '../../support/proxy.ts';
import { openRaw, type RawConnection, type RawResponse } from '../../support/raw-http.ts';
import { runOut } from '../../support/run-out.ts';
import { settleDown } from '../../support/settle-down.ts';
import { answer, type HeldAnswer, held, script, upgradeEcho } from '../../support/upstream-answers.ts';

const AT_ONCE = 2;
const IN_QUEUE = 3;

let proxy: ProxyUnderTest;
let clock: FakeClock;
let slow: HeldAnswer;

function config(limits: object): ProxyConfig {
  return {
    upstreams: { board: { limits }, free: {} },
    routes: [{ ...OPEN_ROUTE, id: 'free', match: { path: '/settle' }, upstream: 'free' }, OPEN_ROUTE],
  };
}

beforeEach(async () => {
  clock = createFakeClock(Date.now());
  proxy = await startProxy(config({ requests: AT_ONCE, queue: IN_QUEUE, wait: '2s' }), { clock });
  slow = held();
  proxy.upstream.on('/slow', slow);
});
afterEach(async () => {
  slow.release();
  await runOut(clock, proxy.stop());
});

const ask = (path = '/slow'): Promise<RawResponse> => proxy.request(`GET ${path} HTTP/1.1`);
const askThat = (count: number): Promise<RawResponse>[] => Array.from({ length: count }, () => ask());
const reached = (): number => proxy.upstream.requests.filter(({ target }) => target === '/slow').length;
const outcomeOf = (response: RawResponse): unknown =>
  response.status === 200 ? 200 : [response.status, response.json(), response.header('retry-after')];
const REFUSED = [
  503,
  expect.objectContaining({ message: 'Service Unavailable', code: 'LIMIT_UPSTREAM' }),
  '1',
];

/** What the metrics say of the one upstream that has a limit. */
async function load(): Promise<{ underWay: number; waiting: number }> {
  const metrics = await proxy.metrics();
  const read = (name: string): number =>
    Number(new RegExp(`^cognito_auth_proxy_${name}{upstream="board"} (\\d+)$`, 'm').exec(metrics)?.[1]);
  return { underWay: read('upstream_requests'), waiting: read('upstream_requests_waiting') };
}

async function untilLoad(wanted: { underWay: number; waiting: number }): Promise<void> {
  for (;;) {
    const { underWay, waiting } = await load();
    if (underWay === wanted.underWay && waiting === wanted.waiting) return;
  }
}

describe('requests to an upstream', () => {
  it('are let through up to the limit, then wait, and beyond the queue are 503 at once', async () => {
    const asked = askThat(AT_ONCE + IN_QUEUE);
    await untilLoad({ underWay: AT_ONCE, waiting: IN_QUEUE });
    expect(await settleDown(proxy, reached)).toBe(AT_ONCE);
    expect(outcomeOf(await ask())).toEqual(REFUSED);
    expect(await proxy.metrics()).toContain(
      'cognito_auth_proxy_decisions_total{route="open",decision="fault",code="LIMIT_UPSTREAM"} 1',
    );

    slow.release();
    expect((await Promise.all(asked)).map(outcomeOf)).toEqual(asked.map(() => 200));
    expect(await load()).toEqual({ underWay: 0, waiting: 0 });
  });

  it('get their turns in the order in which they came, one for each that is done', async () => {
    const gates = Array.from({ length: 4 }, (_, index) => {
      const gate = held(answer(200, String(index)));
      proxy.upstream.on(`/${index}`, gate);
      return gate;
    });
    const asked: Promise<RawResponse>[] = [];
    for (let i = 0; i < 4; i++) {
      asked.push(ask(`/${i}`));
      await untilLoad({ underWay: Math.min(i + 1, AT_ONCE), waiting: Math.max(0, i + 1 - AT_ONCE) });
    }
    gates[1]?.release();
    expect((await asked[1])?.text).toBe('1');
    await gates[2]?.arrived;
    await untilLoad({ underWay: 2, waiting: 1 });
    gates[2]?.release();
    await gates[3]?.arrived;
    for (const gate of gates) gate.release();
    expect((await Promise.all(asked)).map((response) => response.text)).toEqual(['0', '1', '2', '3']);
  });

  it('wait no longer than they may', async () => {
    const first = askThat(AT_ONCE);
    await untilLoad({ underWay: AT_ONCE, waiting: 0 });
    const waiting = ask();
    await untilLoad({ underWay: AT_ONCE, waiting: 1 });
    clock.advance(1_999);
    expect(await load()).toEqual({ underWay: AT_ONCE, waiting: 1 });
    clock.advance(1);
    expect(outcomeOf(await waiting)).toEqual(REFUSED);
    expect(await load()).toEqual({ underWay: AT_ONCE, waiting: 0 });
    slow.release();
    expect((await Promise.all(first)).map(outcomeOf)).toEqual([200, 200]);
    expect(reached()).toBe(AT_ONCE);
  });

  it('leave the queue with their clients, and are never sent', async () => {
    const first = askThat(AT_ONCE);
    await untilLoad({ underWay: AT_ONCE, waiting: 0 });
    const impatient = await openRaw(proxy.origin);
    impatient.send('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n');
    await untilLoad({ underWay: AT_ONCE, waiting: 1 });
    impatient.reset();
    await untilLoad({ underWay: AT_ONCE, waiting: 0 });
    slow.release();
    await Promise.all(first);
    expect(await settleDown(proxy, reached)).toBe(AT_ONCE);
  });

  it('free their places when their clients leave', async () => {
    const leaving: RawConnection[] = [];
    for (let i = 0; i < AT_ONCE; i++) {
      const connection = await openRaw(proxy.origin);
      connection.send('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n');
      leaving.push(connection);
    }
    await untilLoad({ underWay: AT_ONCE, waiting: 0 });
    const waiting = ask('/other');
    await untilLoad({ underWay: AT_ONCE, waiting: 1 });
    leaving[0]?.reset();
    expect((await waiting).status).toBe(200);
    leaving[1]?.close();
    await untilLoad({ underWay: 0, waiting: 0 });
  });

  it.each([
    ['refuses to speak', script(({ socket }) => void socket.resetAndDestroy())],
    ['sends what is no HTTP', script(({ write }) => write('what?\r\n\r\n'))],
    [
      'breaks off in its answer',
      script(({ socket }) => void socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx')),
    ],
  ])('free their places when the upstream %s', async (_, misbehaviour) => {
    proxy.upstream.on('/broken', misbehaviour);
    for (let i = 0; i < AT_ONCE + IN_QUEUE + 1; i++) await ask('/broken').catch(() => undefined);
    await untilLoad({ underWay: 0, waiting: 0 });
  });

  it('to others go on while one is full', async () => {
    const full = askThat(AT_ONCE + IN_QUEUE);
    await untilLoad({ underWay: AT_ONCE, waiting: IN_QUEUE });
    expect((await ask('/settle')).status).toBe(200);
    slow.release();
    await Promise.all(full);
  });

  it('that switch protocols are not among them', async () => {
    proxy.upstream.on('/ws', upgradeEcho());
    const full = askThat(AT_ONCE + IN_QUEUE);
    await untilLoad({ underWay: AT_ONCE, waiting: IN_QUEUE });
    const upgrade = await openRaw(proxy.origin);
    upgrade.send('GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    expect((await upgrade.head()).status).toBe(101);
    upgrade.close();
    slow.release();
    await Promise.all(full);
  });
});

describe('a reload', () => {
  it('lets more in at once when there is more room, and those under way count on', async () => {
    const asked = askThat(AT_ONCE + 1);
    await untilLoad({ underWay: AT_ONCE, waiting: 1 });
    proxy.reload(config({ requests: AT_ONCE + 1 }));
    await untilLoad({ underWay: AT_ONCE + 1, waiting: 0 });
    slow.release();
    expect((await Promise.all(asked)).map(outcomeOf)).toEqual([200, 200, 200]);
    expect(await load()).toEqual({ underWay: 0, waiting: 0 });
  });

  it('takes a limit away, and nothing is left of it', async () => {
    const asked = askThat(AT_ONCE + IN_QUEUE);
    await untilLoad({ underWay: AT_ONCE, waiting: IN_QUEUE });
    proxy.reload(config({ requests: null }));
    asked.push(...askThat(10));
    slow.release();
    expect((await Promise.all(asked)).map(outcomeOf)).toEqual(asked.map(() => 200));
    await untilIdle(proxy);
    expect(await proxy.metrics()).not.toMatch(/^cognito_auth_proxy_upstream_requests{/m);
  });
});
