import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../src/core/ports.ts';
import { createFakeClock } from '../../test/support/fake-clock.ts';

/** A clock that goes as fast as the machine's, and on which time can be left out. */
export interface LeapingClock extends Clock {
  /** Leaves out so much, except for what falls due on the way: that has its time to run. */
  leap(milliseconds: number): Promise<void>;
  stop(): void;
}

/** Milliseconds by which a timer may be late. */
const TICK = 5;

/** Milliseconds between two ticks that count: what takes longer is a machine that stood still. */
const LONGEST = 1_000;

/** Of the event loop, for what falls due. */
const TURNS = 4;

/** Milliseconds that are left out at once. Whatever is under way then, takes so much longer. */
const PIECE = 250;

/** @param startsAt the wall clock's milliseconds since the epoch */
export function createLeapingClock(startsAt: number): LeapingClock {
  const hands = createFakeClock(startsAt);
  let moved = performance.now();
  const since = (): number => Math.min(performance.now() - moved, LONGEST);
  const move = (leap: number): void => {
    const elapsed = since();
    moved = performance.now();
    hands.advance(elapsed + leap);
  };
  const ticking = setInterval(() => move(0), TICK);
  return {
    now: () => hands.now() + since(),
    monotonic: () => hands.monotonic() + since(),
    after: hands.after,
    async leap(milliseconds) {
      for (let left = milliseconds; left > 0; left -= PIECE) {
        move(Math.min(left, PIECE));
        for (let turn = 0; turn < TURNS; turn += 1) await setImmediate();
      }
    },
    stop: () => clearInterval(ticking),
  };
}
