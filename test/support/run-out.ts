import { setImmediate } from 'node:timers/promises';
import type { FakeClock } from './fake-clock.ts';

/** Turns the hands, a second at a time, until something is done that waits for the clock and for the network. */
export async function runOut<T>(clock: FakeClock, work: Promise<T>): Promise<T> {
  let done = false;
  const finished = work.finally(() => {
    done = true;
  });
  while (!done) {
    clock.advance(1_000);
    await setImmediate();
  }
  return finished;
}
