import type { Redis } from 'ioredis';
import type { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import type { Clock } from '../core/ports.ts';
import type { RateLimit, RateQuestion, Tally } from '../core/rate-limit.ts';
import { intervalOf } from './leaky-count.ts';
import { counterName, type RateStore } from './rate-store.ts';
import { TAKE_SCRIPT } from './redis-script.ts';
import { hash } from './who-asks.ts';

export interface RedisStoreOptions {
  /** `redis://` or `rediss://`. */
  readonly url: string;
  /** Milliseconds for an answer. */
  readonly timeout: number;
  readonly clock: Clock;
}

type Take = (question: RateQuestion) => Promise<Tally>;

/** Milliseconds without a byte of an answer after which the connection is given up, rather than every question on it. */
const SILENCE = 1_000;

/** Milliseconds for which a start waits for the first connection. */
const FIRST_CONNECTION = 1_000;

/** Milliseconds between two attempts to connect, at most. */
const LONGEST_RETRY = 1_000;

/**
 * Keeps the counts in Redis or Valkey, for all that are configured with the same server. The two packages are loaded when it is
 * started, so that whoever counts in memory does without them.
 */
export function createRedisStore({ url, timeout, clock }: RedisStoreOptions): RateStore {
  let take: Take | null = null;
  let client: Redis | null = null;

  return {
    take: (question) => take?.(question) ?? Promise.reject(new Error('the store is not started')),
    timeout,
    entries: 0,
    async start() {
      const [{ Redis }, limiters] = await Promise.all([import('ioredis'), import('rate-limiter-flexible')]);
      const redis = new Redis(url, {
        connectionName: 'cognito-auth-proxy',
        lazyConnect: true,
        connectTimeout: SILENCE,
        socketTimeout: Math.max(SILENCE, timeout),
        disconnectTimeout: SILENCE,
        // A question that cannot be asked now is not asked later, and none is asked twice: it would count twice.
        enableOfflineQueue: false,
        autoResendUnfulfilledCommands: false,
        maxRetriesPerRequest: 0,
        retryStrategy: (attempt) => Math.min(50 * 2 ** attempt, LONGEST_RETRY),
        // After a failover the old primary refuses to write: connecting anew finds the new one.
        reconnectOnError: (error) => error.message.startsWith('READONLY'),
      });
      client = redis;
      take = createTake(redis, limiters);
      await connected(redis, clock);
    },
    stop() {
      client?.disconnect();
    },
  };
}

type Limiters = Pick<typeof import('rate-limiter-flexible'), 'RateLimiterRedis' | 'RateLimiterRes'>;

function createTake(redis: Redis, { RateLimiterRedis, RateLimiterRes }: Limiters): Take {
  const limiters = new WeakMap<RateLimit, RateLimiterRedis>();
  /** Why there is no connection: told by the question that cannot be asked. */
  let trouble: Error | null = null;
  redis.on('error', (error: Error) => {
    trouble = error;
  });
  redis.on('ready', () => {
    trouble = null;
  });

  const limiterFor = (limit: RateLimit): RateLimiterRedis => {
    const known = limiters.get(limit);
    if (known !== undefined) return known;
    const limiter = new RateLimiterRedis({
      storeClient: redis,
      keyPrefix: `cognito-auth-proxy:${counterName(limit)}`,
      points: limit.burst,
      duration: (limit.burst * intervalOf(limit)) / 1_000_000,
      customIncrTtlLuaScript: TAKE_SCRIPT,
      rejectIfRedisNotReady: true,
    });
    limiters.set(limit, limiter);
    return limiter;
  };

  return async ({ limit, who }) => {
    try {
      // Of no effect on the count; but only whole seconds of a duration lead to the script.
      return tally(true, await limiterFor(limit).consume(hash(who), 1, { customDuration: 1 }));
    } catch (result) {
      if (result instanceof RateLimiterRes) return tally(false, result);
      throw new Error('Redis does not count', { cause: trouble ?? result });
    }
  };
}

function tally(allowed: boolean, { remainingPoints, msBeforeNext }: RateLimiterRes): Tally {
  return { allowed, remaining: remainingPoints, next: msBeforeNext };
}

/** Resolves with the first connection, or when it is not to be waited for: further attempts follow by themselves. */
function connected(redis: Redis, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.after(FIRST_CONNECTION, resolve);
    const settle = (): void => {
      timer.cancel();
      resolve();
    };
    redis.connect().then(settle, settle);
  });
}
