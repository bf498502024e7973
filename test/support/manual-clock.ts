import type { Clock } from '../../src/core/ports.ts';

/** A clock whose hands only a test turns. */
export interface ManualClock extends Clock {
  /** Goes on by so many milliseconds; timers that fall due run in their order. */
  advance(milliseconds: number): void;
  /** Moves the wall clock alone, as an administrator or NTP does. */
  step(milliseconds: number): void;
}

interface Waiting {
  readonly milliseconds: number;
  readonly run: () => void;
  due: number;
}

/** @param start of the wall clock, in milliseconds since the epoch */
export function createManualClock(start = Date.UTC(2030, 0, 1)): ManualClock {
  let passed = 0;
  let offset = 0;
  const waiting = new Set<Waiting>();
  return {
    now: () => start + offset + passed,
    monotonic: () => passed,
    after(milliseconds, run) {
      const entry: Waiting = { milliseconds, run, due: passed + milliseconds };
      waiting.add(entry);
      return {
        cancel: () => void waiting.delete(entry),
        restart() {
          if (waiting.has(entry)) entry.due = passed + entry.milliseconds;
        },
      };
    },
    advance(milliseconds) {
      const end = passed + milliseconds;
      for (;;) {
        const [next] = [...waiting].filter(({ due }) => due <= end).sort((a, b) => a.due - b.due);
        if (next === undefined) break;
        waiting.delete(next);
        passed = Math.max(passed, next.due);
        next.run();
      }
      passed = end;
    },
    step(milliseconds) {
      offset += milliseconds;
    },
  };
}
