/**
 * Fail-closed proofs with nothing replaced but what fails: the whole proxy, its own stages, an upstream that counts connections, and
 * the gauge as it is scraped. What the runner makes of every kind of failure is in unit/listen/pipeline.test.ts.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  type Exchange,
  HANDED_OVER,
  STAGES,
  type Stage,
  type StageName,
} from '../../../src/core/exchange.ts';
import { deny } from '../../../src/core/refusal.ts';
import { attack, expectRefusal, SHAPES } from '../../support/attack.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { bearer, type ProxyUnderTest, startProxy } from '../../support/proxy.ts';
import { openRaw } from '../../support/raw-http.ts';
import { refusingOrigin } from '../../support/refusing-origin.ts';
import { runOut } from '../../support/run-out.ts';
import { upgradeEcho } from '../../support/upstream-answers.ts';

/** What one stage does instead; it may do its work too. */
const fails = vi.hoisted(() => ({
  at: null as StageName | null,
  run: (_exchange: Exchange, _work: Stage['run']): ReturnType<Stage['run']> => undefined,
}));

vi.mock(import('../../../src/listen/pipeline.ts'), async (original) => {
  const { createPipeline } = await original();
  const failing = (stage: Stage): Stage => ({
    ...stage,
    run: (exchange) =>
      fails.at === stage.name ? fails.run(exchange, stage.run.bind(stage)) : stage.run(exchange),
  });
  return {
    createPipeline: (stages, ...rest) => createPipeline(stages.map(failing), ...rest),
  };
});

const GUARDED = {
  match: { path: '/guarded' },
  allow: { groups: 'writers' },
  rateLimit: { by: 'caller', requests: 1_000, per: '1s' },
} as const;

const clock = createFakeClock(Date.now());
let proxy: ProxyUnderTest;

beforeAll(async () => {
  proxy = await startProxy(
    {
      upstreams: { board: {}, gone: { url: await refusingOrigin(), retries: 2 } },
      routes: [
        { id: 'guarded', ...GUARDED, upstream: 'board' },
        { id: 'gone', ...GUARDED, match: { path: '/gone' }, upstream: 'gone' },
      ],
    },
    { clock },
  );
});
afterEach(() => {
  fails.at = null;
});
afterAll(() => runOut(clock, proxy.stop()));

const authorized = (): string[] => [bearer(proxy.token({ 'cognito:groups': ['writers'] }))];

/**
 * Waits for the gauge, as it is scraped; sockets that are left open are closed by the clock.
 * @param connections that the upstream has seen, and sees no more of
 */
async function untilNothingIsInFlight(connections = proxy.upstream.connections): Promise<void> {
  while (!/^cognito_auth_proxy_requests_in_flight 0$/m.test(await proxy.metrics())) clock.advance(1_000);
  expect(proxy.upstream.connections).toBe(connections);
}

type Failure = readonly [string, typeof fails.run, number, string, string];

const INTERNAL = [500, 'Internal Server Error', 'INTERNAL_ERROR'] as const;
const FAILURES: readonly Failure[] = [
  [
    'throws',
    () => {
      throw new Error('broken');
    },
    ...INTERNAL,
  ],
  ['rejects', () => Promise.reject(new Error('broken')), ...INTERNAL],
  ['throws when its work is done', failAfterWork, ...INTERNAL],
  [
    'refuses twice, and goes on',
    (exchange) => {
      exchange.runner.refuse(exchange, deny('AUTHZ_GROUP_REQUIRED'));
      exchange.runner.refuse(exchange, deny('ROUTE_NOT_FOUND'));
      return undefined;
    },
    403,
    'Forbidden',
    'AUTHZ_GROUP_REQUIRED',
  ],
  [
    'asks for a retry of what was never sent',
    (exchange) => {
      exchange.runner.retry(exchange, 1);
      return undefined;
    },
    ...INTERNAL,
  ],
  ['gives no verdict', () => null as unknown as undefined, ...INTERNAL],
];

/** All that the stage had to do is done, and it fails all the same. */
async function failAfterWork(exchange: Exchange, work: Stage['run']): Promise<never> {
  // What `send` does cannot be undone; the others only prepare for it.
  if (fails.at !== 'send') await work(exchange);
  throw new Error('broken');
}

/** All but `observe`, which runs when the answer is out. */
const JUDGING = STAGES.slice(0, STAGES.indexOf('observe'));

describe.each(SHAPES)('as %s, with a token that is good', (shape) => {
  it('goes through while no stage fails', async () => {
    if (shape === 'upgrade') proxy.upstream.on('/guarded', upgradeEcho());
    const outcome = await attack(proxy, shape, '/guarded', authorized());
    expect(outcome.response.status).toBe(shape === 'upgrade' ? 101 : 200);
    expect(outcome.reached).toHaveLength(1);
    await untilNothingIsInFlight();
  });

  describe.each(JUDGING)('%s', (name) => {
    it.each(FAILURES)('%s: no connection upstream, one answer', async (_, run, status, message, code) => {
      const { connections } = proxy.upstream;
      Object.assign(fails, { at: name, run });
      expectRefusal(await attack(proxy, shape, '/guarded', authorized()), status, message, code);
      await untilNothingIsInFlight(connections);
    });

    it('hangs: no connection upstream, one answer, and what it says later is not heard', async () => {
      const { connections } = proxy.upstream;
      const asked = Promise.withResolvers<void>();
      const late = Promise.withResolvers<undefined>();
      fails.at = name;
      fails.run = () => {
        asked.resolve();
        return late.promise;
      };
      const outcome = attack(proxy, shape, '/guarded', authorized());
      await asked.promise;
      clock.advance(30_000);
      expectRefusal(await outcome, ...INTERNAL);
      late.resolve(undefined);
      await untilNothingIsInFlight(connections);
    });

    it('hands over and does nothing', async () => {
      fails.at = name;
      fails.run = () => HANDED_OVER;
      const connection = await openRaw(proxy.origin);
      const { connections } = proxy.upstream;
      const upgrade = shape === 'upgrade' ? ['Connection: Upgrade', 'Upgrade: websocket'] : [];
      const lines = ['GET /guarded HTTP/1.1', 'Host: a', ...upgrade, ...authorized()];
      connection.send(`${lines.join('\r\n')}\r\n\r\n`);
      // Only `send` may: whoever waits for it is then told when the client goes.
      if (name !== 'send') expect((await connection.response()).status).toBe(500);
      connection.reset();
      await untilNothingIsInFlight(connections);
    });
  });

  it('an upstream that refuses connections is 502, once', async () => {
    expectRefusal(
      await attack(proxy, shape, '/gone', authorized()),
      502,
      'Bad Gateway',
      'UPSTREAM_CONNECT_FAILED',
    );
    await untilNothingIsInFlight();
  });
});
