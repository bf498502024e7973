import type { Clock } from '../core/ports.ts';
import { fault, type Refusal } from '../core/refusal.ts';

/** Keeps calls to a service under a rate, and away from it for a while after it asked for that. */
export interface CallQuota {
  /** Waits for a turn. @returns null when it has come, or why there is none within the time a request may wait */
  turn(): Promise<Refusal | null>;
  /** The service asked for less, or did not answer: until it is asked again, this is everybody's answer. */
  backOff(why: Refusal): void;
  /** The service answered well. */
  recovered(): void;
  stop(): void;
}

/** Milliseconds a caller may wait for its turn. */
const LONGEST_WAIT = 2_000;

/** Milliseconds of the first pause; twice as long each time in a row, up to the longest. */
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 30_000;

/**
 * In no stretch of time are there more calls than the rate allows in it: with 20 a second, the twenty-first begins a
 * second after the first at the earliest.
 */
export function createCallQuota(callsPerSecond: number, clock: Clock): CallQuota {
  const burst = Math.max(1, Math.floor(callsPerSecond));
  const span = (burst / callsPerSecond) * 1000;
  /** When each of the last calls began, or will begin: a ring. */
  const starts = new Float64Array(burst).fill(Number.NEGATIVE_INFINITY);
  const waiting = new Set<{ readonly cancel: () => void }>();
  let next = 0;
  let pause: { readonly until: number; readonly why: Refusal } | null = null;
  let pauses = 0;

  const paused = (): Refusal | null => (pause !== null && clock.monotonic() < pause.until ? pause.why : null);

  return {
    turn() {
      const now = clock.monotonic();
      const why = paused();
      if (why !== null) return Promise.resolve(why);
      const start = Math.max(now, (starts[next] as number) + span);
      if (start - now > LONGEST_WAIT) return Promise.resolve(tooMany());
      starts[next] = start;
      next = (next + 1) % burst;
      if (start === now) return Promise.resolve(null);
      return new Promise((resolve) => {
        const timer = clock.after(start - now, () => {
          waiting.delete(entry);
          resolve(paused());
        });
        const entry = {
          cancel(): void {
            timer.cancel();
            resolve(tooMany());
          },
        };
        waiting.add(entry);
      });
    },
    backOff(why) {
      if (paused() !== null) return;
      pause = { until: clock.monotonic() + Math.min(FIRST_PAUSE * 2 ** pauses, LONGEST_PAUSE), why };
      pauses += 1;
    },
    recovered() {
      pauses = 0;
    },
    stop() {
      for (const entry of waiting) entry.cancel();
      waiting.clear();
    },
  };
}

function tooMany(): Refusal {
  return fault('SIGN_CREDENTIALS_THROTTLED', new Error('callsPerSecond is used up'));
}
