import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { RateLimit, RateQuestion } from '../../../src/core/rate-limit.ts';
import { createPrimaryStore } from '../../../src/limit/primary-store.ts';

const limit: RateLimit = { route: 'r', by: 'caller', requests: 1, per: 1_000, burst: 1 };
const question = (who: string): RateQuestion => ({ limit, who });
const tally = (next: number) => ({ allowed: true, remaining: 0, next });

describe('counts kept by the primary', () => {
  it('are asked for together, and each gets its own answer', async () => {
    const asked: [number, readonly RateQuestion[]][] = [];
    const store = createPrimaryStore((...message) => void asked.push(message));
    const first = Promise.all(['a', 'b', 'a'].map((who) => store.take(question(who))));
    expect(asked).toEqual([]);
    await setImmediate();
    const second = store.take(question('c'));
    await setImmediate();
    expect(asked).toEqual([
      [0, [question('a'), question('b'), question('a')]],
      [1, [question('c')]],
    ]);
    store.answered(1, [tally(4)]);
    expect(await second).toEqual(tally(4));
    store.answered(0, [tally(1), tally(2), tally(3)]);
    expect(await first).toEqual([tally(1), tally(2), tally(3)]);
    store.answered(0, [tally(1), tally(2), tally(3)]);
  });

  it('are not asked for without end when there is no answer', async () => {
    let answerable: readonly RateQuestion[] = [];
    const store = createPrimaryStore((_, questions) => {
      answerable = questions;
    });
    const open = Array.from({ length: 10_000 }, (_, i) => store.take(question(String(i))));
    await expect(store.take(question('one more'))).rejects.toThrow('the primary does not answer');
    await setImmediate();
    store.answered(
      0,
      answerable.map(() => tally(1)),
    );
    await Promise.all(open);
    const again = store.take(question('again'));
    await setImmediate();
    store.answered(1, [tally(2)]);
    expect(await again).toEqual(tally(2));
  });
});
