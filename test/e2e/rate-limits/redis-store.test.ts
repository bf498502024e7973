import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest';
import type { RateLimit, Tally } from '../../../src/core/rate-limit.ts';
import { systemClock } from '../../../src/core/system-clock.ts';
import { createMemoryStore } from '../../../src/limit/memory-store.ts';
import type { RateStore } from '../../../src/limit/rate-store.ts';
import { createRedisStore } from '../../../src/limit/redis-store.ts';
import { isInstalled, itWith } from '../../support/debian-tools.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { type RedisServer, startRedisServer } from '../../support/redis-server.ts';

const itWithRedis = itWith('redis-server');

/** So slow that nothing leaks while a test runs. */
const limit: RateLimit = { route: 'posts', by: 'caller', requests: 24, per: 86_400_000, burst: 5 };
const HOUR = 3_600_000;

const LIMITS: readonly (readonly [what: string, changes: Partial<RateLimit>])[] = [
  ['whose bucket is empty in less than a second', { requests: 1_000, per: 1_000, burst: 5 }],
  ['of one request a day', { requests: 1, per: 86_400_000, burst: 1 }],
  ['with an interval that is no whole number', { requests: 7, per: 1_000, burst: 3 }],
  ['of a large burst', { requests: 1, per: 1_000, burst: 1_000_000 }],
];

let redis: RedisServer;
const stores: RateStore[] = [];

async function storeOf(url = redis.url): Promise<RateStore> {
  const store = createRedisStore({ url, timeout: 1_000, clock: systemClock });
  stores.push(store);
  await store.start();
  return store;
}

if (isInstalled('redis-server')) {
  beforeAll(async () => {
    redis = await startRedisServer();
  });
  afterAll(async () => {
    for (const store of stores) store.stop();
    await redis.stop();
  });
  beforeEach(() => redis.inspect((client) => client.flushall()));
}

describe('counts in Redis', () => {
  itWithRedis('come to the same as in memory', async () => {
    const remote = await storeOf();
    const memory = createMemoryStore(100, createFakeClock());
    const callers = 'a a b a a c b a a a b b b b b'.split(' ');
    for (const who of callers) {
      const expected = memory.take({ limit, who });
      const counted = await remote.take({ limit, who });
      expect([counted.allowed, counted.remaining]).toEqual([expected.allowed, expected.remaining]);
      expect(counted.next).toBeGreaterThan(0);
      expect(counted.next).toBeLessThanOrEqual(expected.next);
    }
  });

  itWithRedis('are shared by all that ask the same server, exactly', async () => {
    const replicas = [await storeOf(), await storeOf(), await storeOf()];
    const tallies = await Promise.all(
      Array.from({ length: 30 }, (_, i) => replicas[i % 3]?.take({ limit, who: 'alice' }) as Promise<Tally>),
    );
    const allowed = tallies.filter((tally) => tally.allowed).map(({ remaining }) => remaining);
    expect(allowed.sort()).toEqual([0, 1, 2, 3, 4]);
    expect(tallies.filter((tally) => !tally.allowed)).toHaveLength(25);
  });

  for (const [what, changes] of LIMITS) {
    itWithRedis(`are right for a limit ${what}`, async () => {
      const store = await storeOf();
      const rate = { ...limit, ...changes };
      const first = await store.take({ limit: rate, who: 'alice' });
      expect([first.allowed, first.remaining]).toEqual([true, rate.burst - 1]);
      expect(first.next).toBeLessThanOrEqual(Math.ceil(rate.per / rate.requests));
      expect(first.next).toBeGreaterThan(0);
    });
  }

  itWithRedis('go away by themselves when there is nothing left to remember', async () => {
    const store = await storeOf();
    await store.take({ limit, who: 'alice' });
    await store.take({ limit, who: 'alice' });
    await redis.inspect(async (client) => {
      const [key = ''] = await client.keys('*');
      expect(await client.pttl(key)).toBeGreaterThan(HOUR);
      expect(await client.pttl(key)).toBeLessThanOrEqual(2 * HOUR);
    });
  });

  itWithRedis('name nobody, and tell limits and callers apart', async () => {
    const store = await storeOf();
    await store.take({ limit, who: 'main/11111111-2222-3333-4444-555555555555' });
    await store.take({ limit, who: '@192.0.2.1' });
    await store.take({ limit: { ...limit, route: 'other' }, who: '@192.0.2.1' });
    await store.take({ limit: { ...limit, burst: 6 }, who: '@192.0.2.1' });
    const keys = await redis.inspect((client) => client.keys('*'));
    expect(keys.map((key) => key.replace(/[\w-]{43}$/, '<hash>')).sort()).toEqual([
      'cognito-auth-proxy:other:24/86400000/5:<hash>',
      'cognito-auth-proxy:posts:24/86400000/5:<hash>',
      'cognito-auth-proxy:posts:24/86400000/5:<hash>',
      'cognito-auth-proxy:posts:24/86400000/6:<hash>',
    ]);
    expect(new Set(keys).size).toBe(4);
  });

  itWithRedis('lock nobody out for longer than a full bucket, though the clock was set back', async () => {
    const store = await storeOf();
    await store.take({ limit, who: 'alice' });
    await redis.inspect(async (client) => {
      const [key = ''] = await client.keys('*');
      const inAYear = (Date.now() + 365 * 86_400_000) * 1000;
      await client.set(key, String(inAYear), 'KEEPTTL');
    });
    expect(await store.take({ limit, who: 'alice' })).toEqual({ allowed: false, remaining: 0, next: HOUR });
  });

  itWithRedis('are kept to the microsecond', async () => {
    const store = await storeOf();
    await store.take({ limit, who: 'alice' });
    const value = await redis.inspect(async (client) => client.get((await client.keys('*'))[0] ?? ''));
    expect(value).toMatch(/^\d{16}$/);
  });

  itWithRedis('are asked for in one step, whose script is sent once for each limit', async () => {
    const store = await storeOf();
    const start = await redis.inspect(commandCalls);
    for (let i = 0; i < 20; i++) await store.take({ limit, who: String(i) });
    const end = await redis.inspect(commandCalls);
    expect(end('eval') - start('eval')).toBe(1);
    expect(end('evalsha') - start('evalsha')).toBe(19);
  });
});

async function commandCalls(client: { info(section: string): Promise<string> }) {
  const info = await client.info('commandstats');
  return (command: string): number =>
    Number(new RegExp(`^cmdstat_${command}:calls=(\\d+)`, 'm').exec(info)?.[1] ?? 0);
}
