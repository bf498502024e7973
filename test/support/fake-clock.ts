import type { Clock, Timer } from '../../src/core/ports.ts';

/** A clock whose hands only the test turns. */
export interface FakeClock extends Clock {
  /** Moves both hands on, running what falls due on the way, in order and each at its own time. */
  advance(milliseconds: number): void;
  /** Moves the wall clock alone, as an administrator or NTP does; negative: back. */
  stepWall(milliseconds: number): void;
  /** Milliseconds until each running timer is due, soonest first. */
  readonly waiting: readonly number[];
}

interface Waiting {
  readonly milliseconds: number;
  readonly run: () => void;
  due: number;
  /** Starts are numbered, so that timers due at one time run in the order in which they were started. */
  start: number;
}

/** @param startsAt the wall clock's milliseconds since the epoch; the monotonic one starts elsewhere, as real ones do */
export function createFakeClock(startsAt = Date.UTC(2026, 0, 1)): FakeClock {
  const timers = new Set<Waiting>();
  let wall = startsAt;
  let monotonic = 5_000_000;
  let starts = 0;

  const start = (timer: Waiting): void => {
    timer.due = monotonic + Math.max(0, timer.milliseconds);
    timer.start = starts++;
    timers.add(timer);
  };
  const soonestFirst = (): Waiting[] => [...timers].sort((a, b) => a.due - b.due || a.start - b.start);
  const moveTo = (time: number): void => {
    wall += time - monotonic;
    monotonic = time;
  };

  return {
    now: () => wall,
    monotonic: () => monotonic,
    after(milliseconds, run): Timer {
      const timer: Waiting = { milliseconds, run, due: 0, start: 0 };
      start(timer);
      return {
        cancel: () => void timers.delete(timer),
        restart() {
          if (timers.has(timer)) start(timer);
        },
      };
    },
    advance(milliseconds) {
      const end = monotonic + milliseconds;
      for (let next = soonestFirst()[0]; next !== undefined && next.due <= end; next = soonestFirst()[0]) {
        timers.delete(next);
        moveTo(next.due);
        next.run();
      }
      moveTo(end);
    },
    stepWall(milliseconds) {
      wall += milliseconds;
    },
    get waiting() {
      return soonestFirst().map((timer) => timer.due - monotonic);
    },
  };
}
