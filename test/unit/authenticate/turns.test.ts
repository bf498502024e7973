import { describe, expect, it } from 'vitest';
import { createTurns } from '../../../src/authenticate/turns.ts';

/** Turns that come when the test says so. */
function makeTurns(perTurn: number) {
  const scheduled: (() => void)[] = [];
  const turns = createTurns(perTurn, (run) => void scheduled.push(run));
  const served: number[] = [];
  let asked = 0;
  return {
    served,
    scheduled,
    /** Asks so many times; whoever finds no room waits. */
    ask(count: number): void {
      for (let i = 0; i < count; i++) {
        const who = asked++;
        if (turns.take()) served.push(who);
        else void turns.wait().then(() => served.push(who));
      }
    },
    async next(): Promise<void> {
      for (const run of scheduled.splice(0)) run();
      await Promise.resolve();
    },
  };
}

describe('turns', () => {
  it('have room for so many each, in order', async () => {
    const { ask, next, served } = makeTurns(3);
    ask(8);
    expect(served).toEqual([0, 1, 2]);
    await next();
    expect(served).toEqual([0, 1, 2, 3, 4, 5]);
    await next();
    expect(served).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('have room again at once when nobody waits', async () => {
    const { ask, next, served } = makeTurns(2);
    ask(2);
    await next();
    ask(2);
    expect(served).toEqual([0, 1, 2, 3]);
  });

  it('let nobody overtake those who wait', async () => {
    const { ask, next, served } = makeTurns(2);
    ask(4);
    await next();
    ask(1);
    expect(served).toEqual([0, 1, 2, 3]);
    await next();
    expect(served).toEqual([0, 1, 2, 3, 4]);
  });

  it('count those who have waited, too', async () => {
    const { ask, next, served } = makeTurns(2);
    ask(3);
    await next();
    // One of two places of this turn is taken.
    ask(2);
    expect(served).toEqual([0, 1, 2, 3]);
    await next();
    expect(served).toEqual([0, 1, 2, 3, 4]);
  });

  it('are not asked for while there is nothing to do', async () => {
    const { ask, next, scheduled } = makeTurns(2);
    expect(scheduled).toEqual([]);
    ask(5);
    for (let i = 0; i < 5; i++) await next();
    expect(scheduled).toEqual([]);
  });
});
