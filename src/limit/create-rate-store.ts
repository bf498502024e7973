import type { Config } from '../config/schema/config.ts';
import type { Clock } from '../core/ports.ts';
import type { RateStore } from './rate-store.ts';
import { createRedisStore } from './redis-store.ts';

/**
 * The store that the configuration asks for.
 * @param inMemory where counts in memory are kept: in this process, or in the primary of its group
 */
export function createRateStore(
  { store, timeout }: Config['rateLimits'],
  clock: Clock,
  inMemory: RateStore,
): RateStore {
  return store === 'memory' ? inMemory : createRedisStore({ url: store.redis, timeout, clock });
}
