import { describe, expect, it } from 'vitest';
import type { RateLimit } from '../../../src/core/rate-limit.ts';
import { createMemoryStore } from '../../../src/limit/memory-store.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

const limit: RateLimit = { route: 'posts', by: 'caller', requests: 2, per: 60_000, burst: 2 };

describe('the counts in memory', () => {
  it('are one for each caller of each limit', () => {
    const store = createMemoryStore(100, createFakeClock());
    const take = (who: string, of = limit): boolean => store.take({ limit: of, who }).allowed;
    expect([take('a'), take('a'), take('a'), take('b'), take('b'), take('b')]).toEqual([
      true,
      true,
      false,
      true,
      true,
      false,
    ]);
    expect(take('a', { ...limit, route: 'other' })).toBe(true);
    expect(store.entries).toBe(3);
  });

  it('start anew when the limit is changed, so that nobody waits by the measure of another', () => {
    const store = createMemoryStore(100, createFakeClock());
    const slow = { ...limit, requests: 1, per: 86_400_000, burst: 1 };
    expect(store.take({ limit: slow, who: 'a' }).allowed).toBe(true);
    expect(store.take({ limit: slow, who: 'a' })).toEqual({ allowed: false, remaining: 0, next: 86_400_000 });
    expect(store.take({ limit, who: 'a' }).allowed).toBe(true);
  });

  it('go by the clock that never goes back', () => {
    const clock = createFakeClock();
    const store = createMemoryStore(100, clock);
    const take = (): boolean => store.take({ limit, who: 'a' }).allowed;
    expect([take(), take(), take()]).toEqual([true, true, false]);
    clock.stepWall(86_400_000);
    expect(take()).toBe(false);
    clock.stepWall(-2 * 86_400_000);
    clock.advance(29_999);
    expect(take()).toBe(false);
    clock.advance(1);
    expect(take()).toBe(true);
  });

  it('take no room before there is something to remember', () => {
    expect(createMemoryStore(100, createFakeClock()).entries).toBe(0);
  });

  it('are so many and no more, and never forget who keeps coming', () => {
    const store = createMemoryStore(1_000, createFakeClock());
    const greedy = { limit, who: 'greedy' };
    store.take(greedy);
    store.take(greedy);
    for (let i = 0; i < 200_000; i++) {
      store.take({ limit, who: `passer-by ${i}` });
      if (i % 500 === 0) expect(store.take(greedy).allowed).toBe(false);
      if (i >= 1_000 && store.entries !== 1_000) expect.unreachable(`${store.entries} entries`);
    }
  });
});
