import type { Clock } from './ports.ts';

/** setTimeout's longest wait; longer ones are cut to it by node, to one millisecond. */
const LONGEST_WAIT = 2_147_483_647;

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(milliseconds, run) {
    let over = false;
    const timer = setTimeout(
      () => {
        over = true;
        run();
      },
      Math.min(Math.max(milliseconds, 0), LONGEST_WAIT),
    );
    timer.unref();
    return {
      cancel() {
        over = true;
        clearTimeout(timer);
      },
      restart() {
        // Node would start one that has run once more.
        if (!over) timer.refresh();
      },
    };
  },
};
