import type { Exchange, Verdict } from '../core/exchange.ts';
import type { Clock, Logger } from '../core/ports.ts';
import type { RateLimit, RateQuestion, Tally } from '../core/rate-limit.ts';
import { deny, fault } from '../core/refusal.ts';
import { createExcesses } from './excesses.ts';
import { rateHeaders, secondsUntil } from './rate-headers.ts';
import type { RateStore } from './rate-store.ts';
import { createStoreHealth } from './store-health.ts';
import { whoAsks } from './who-asks.ts';

export interface LimitRateOptions {
  readonly store: RateStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What a limited route is while the store is away. A reload may change it. */
  readonly onStoreFailure: () => 'open' | 'closed';
  /** Told what came of each question to a store outside this process. */
  readonly onAsked: (result: 'success' | 'failure') => void;
}

/**
 * Makes the judge of how often. With the counts in this process its verdict comes at once, else it is a promise, kept within the
 * store's timeout whatever the store does.
 */
export function createLimitRate(
  options: LimitRateOptions,
): (exchange: Exchange, limit: RateLimit) => Verdict | Promise<Verdict> {
  const { store, clock, logger, onAsked } = options;
  const excesses = createExcesses(clock);
  const health = createStoreHealth(clock, logger);

  const judge = (exchange: Exchange, limit: RateLimit, tally: Tally): Verdict => {
    exchange.answerHeaders.push(...rateHeaders(limit, tally));
    return tally.allowed ? undefined : deny('LIMIT_RATE', { retryAfter: secondsUntil(tally) });
  };

  const judgeWithoutCount = (error: unknown): Verdict => {
    onAsked('failure');
    health.failed(error);
    return options.onStoreFailure() === 'open' ? undefined : fault('LIMIT_RATE_UNKNOWN', error);
  };

  const judgeWithCount = (exchange: Exchange, question: RateQuestion, tally: Tally): Verdict => {
    onAsked('success');
    health.succeeded();
    if (!tally.allowed) excesses.remember(question, tally);
    return judge(exchange, question.limit, tally);
  };

  return (exchange, limit) => {
    const question = { limit, who: whoAsks(limit.by, exchange.principal, exchange.client) };
    const excess = excesses.find(question);
    if (excess !== undefined) return judge(exchange, limit, excess);
    const asked = store.take(question);
    if (!(asked instanceof Promise)) return judge(exchange, limit, asked);
    return inTime(asked, store.timeout, clock).then(
      (tally) => judgeWithCount(exchange, question, tally),
      judgeWithoutCount,
    );
  };
}

/** The count, unless it takes longer than it may. */
function inTime(asked: Promise<Tally>, timeout: number, clock: Clock): Promise<Tally> {
  return new Promise((resolve, reject) => {
    // Timers run before what has come in is read: an answer that came while this process was busy gets its turn.
    const timer = clock.after(timeout, () => setImmediate(reject, new Error('no answer in time')));
    asked.then(resolve, reject).finally(() => timer.cancel());
  });
}
