import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { RateLimit, RateQuestion, Tally } from '../../../src/core/rate-limit.ts';
import { createLimitRate } from '../../../src/limit/limit-rate.ts';
import { createMemoryStore } from '../../../src/limit/memory-store.ts';
import type { RateStore } from '../../../src/limit/rate-store.ts';
import { exchange } from '../../support/exchange.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { principal } from '../../support/principal.ts';
import { type LogLine, recordingLogger } from '../../support/recording-logger.ts';

const limit: RateLimit = { route: 'posts', by: 'caller', requests: 2, per: 60_000, burst: 2 };
const ALLOWED: Tally = { allowed: true, remaining: 1, next: 30_000 };
const REFUSED: Tally = { allowed: false, remaining: 0, next: 12_345 };

/** A store elsewhere, which answers when the test says so. */
function remoteStore() {
  const asked: (RateQuestion & PromiseWithResolvers<Tally>)[] = [];
  const store: RateStore = {
    take(question) {
      const answer = Promise.withResolvers<Tally>();
      asked.push({ ...question, ...answer });
      return answer.promise;
    },
    timeout: 100,
    entries: 0,
    start: () => Promise.resolve(),
    stop: () => undefined,
  };
  return { store, asked };
}

function judge(store: (clock: ReturnType<typeof createFakeClock>) => RateStore, failure: 'open' | 'closed') {
  const clock = createFakeClock();
  const log: LogLine[] = [];
  const results: string[] = [];
  const limitRate = createLimitRate({
    store: store(clock),
    clock,
    logger: recordingLogger(log),
    onStoreFailure: () => failure,
    onAsked: (result) => void results.push(result),
  });
  const ask = (subject = 'alice') => {
    const made = exchange({});
    made.principal = principal({ subject });
    return { made, verdict: limitRate(made, limit) };
  };
  return { ask, clock, log, results };
}

describe('with counts in this process', () => {
  it('the verdict comes at once, with the headers on every answer', () => {
    const { ask, results } = judge((clock) => createMemoryStore(10, clock), 'closed');
    const verdicts = [ask(), ask(), ask(), ask('bob')];
    expect(verdicts.map(({ verdict }) => verdict)).toEqual([
      undefined,
      undefined,
      { kind: 'deny', code: 'LIMIT_RATE', retryAfter: 30 },
      undefined,
    ]);
    expect(verdicts.map(({ made }) => made.answerHeaders)).toEqual(
      ['r=1;t=30', 'r=0;t=30', 'r=0;t=30', 'r=1;t=30'].map((left) => [
        'ratelimit-policy',
        '"posts";q=2;w=60',
        'ratelimit',
        `"posts";${left}`,
      ]),
    );
    expect(results).toEqual([]);
  });
});

describe('with counts elsewhere', () => {
  it('the verdict is what the store says', async () => {
    const { store, asked } = remoteStore();
    const { ask, clock, results, log } = judge(() => store, 'closed');
    const first = ask();
    const second = ask('bob');
    expect(asked.map(({ who }) => who)).toEqual(['main/alice', 'main/bob']);
    asked[0]?.resolve(ALLOWED);
    asked[1]?.resolve(REFUSED);
    expect(await first.verdict).toBeUndefined();
    expect(await second.verdict).toEqual({ kind: 'deny', code: 'LIMIT_RATE', retryAfter: 13 });
    expect(first.made.answerHeaders).toContain('"posts";r=1;t=30');
    expect(second.made.answerHeaders).toContain('"posts";r=0;t=13');
    expect(results).toEqual(['success', 'success']);
    expect(clock.waiting).toEqual([]);
    expect(log).toEqual([]);
  });

  it('whoever is over the limit is refused without asking again, until there is room', async () => {
    const { store, asked } = remoteStore();
    const { ask, clock } = judge(() => store, 'closed');
    const over = ask();
    asked[0]?.resolve(REFUSED);
    await over.verdict;
    clock.advance(10_000);
    expect(ask().verdict).toEqual({ kind: 'deny', code: 'LIMIT_RATE', retryAfter: 3 });
    ask('bob');
    expect(asked.map(({ who }) => who)).toEqual(['main/alice', 'main/bob']);
    clock.advance(2_344);
    expect(ask().verdict).toMatchObject({ retryAfter: 1 });
    clock.advance(1);
    expect(ask().verdict).toBeInstanceOf(Promise);
    expect(asked.map(({ who }) => who)).toEqual(['main/alice', 'main/bob', 'main/alice']);
  });

  const FAILURES = [
    ['rejects', (answer: PromiseWithResolvers<Tally>) => answer.reject(new Error('gone')), 'gone'],
    ['says nothing in time', () => undefined, 'no answer in time'],
  ] as const;

  it.each(FAILURES)('that %s, the route is closed: a fault', async (_, fail, message) => {
    const { store, asked } = remoteStore();
    const { ask, clock, results } = judge(() => store, 'closed');
    const { made, verdict } = ask();
    fail(asked[0] as never);
    clock.advance(100);
    expect(await verdict).toMatchObject({ kind: 'fault', code: 'LIMIT_RATE_UNKNOWN', cause: { message } });
    expect(made.answerHeaders).toEqual([]);
    expect(results).toEqual(['failure']);
  });

  it.each(FAILURES)('that %s, the route is open if that was said', async (_, fail) => {
    const { store, asked } = remoteStore();
    const { ask, clock, results } = judge(() => store, 'open');
    const { made, verdict } = ask();
    fail(asked[0] as never);
    clock.advance(100);
    expect(await verdict).toBeUndefined();
    expect(made.answerHeaders).toEqual([]);
    expect(results).toEqual(['failure']);
  });

  it('an answer in time counts, though this process was too busy to read it', async () => {
    const { store, asked } = remoteStore();
    const { ask, clock } = judge(() => store, 'closed');
    const { verdict } = ask();
    clock.advance(100);
    asked[0]?.resolve(ALLOWED);
    expect(await verdict).toBeUndefined();
  });

  it('an answer that is too late changes nothing', async () => {
    const { store, asked } = remoteStore();
    const { ask, clock, results } = judge(() => store, 'closed');
    const { made, verdict } = ask();
    clock.advance(100);
    expect(await verdict).toMatchObject({ code: 'LIMIT_RATE_UNKNOWN' });
    asked[0]?.resolve(REFUSED);
    await setImmediate();
    expect(made.answerHeaders).toEqual([]);
    expect(results).toEqual(['failure']);
    expect(ask().verdict).toBeInstanceOf(Promise);
  });

  it('the log says once that the store is away, and once that it is back to stay', async () => {
    const { store, asked } = remoteStore();
    const { ask, clock, log } = judge(() => store, 'open');
    const answer = async (result: 'success' | 'failure'): Promise<void> => {
      const { verdict } = ask();
      const last = asked.at(-1);
      if (result === 'success') last?.resolve(ALLOWED);
      else last?.reject(new Error('gone'));
      await verdict;
    };
    const messages = (): string[] => log.map(({ level, message }) => `${level}: ${message}`);
    await answer('success');
    expect(messages()).toEqual([]);
    await answer('failure');
    await answer('success');
    await answer('failure');
    expect(messages()).toEqual(['error: the store of rate limits does not answer']);
    clock.advance(4_999);
    await answer('success');
    expect(log).toHaveLength(1);
    clock.advance(1);
    await answer('success');
    expect(messages().slice(1)).toEqual(['info: the store of rate limits answers again']);
  });
});
