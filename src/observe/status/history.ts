import { difference, type Reading, textOf, totalsBy } from './reading.ts';

/** Requests of one minute, by what became of them. */
export interface Minute {
  /** Milliseconds since the epoch at which it began. */
  readonly start: number;
  passed: number;
  refused: number;
  /** Answered with 5xx, by us or by the upstream. */
  failed: number;
}

/** What became of requests. */
export type Outcomes = Readonly<Pick<Minute, 'passed' | 'refused' | 'failed'>>;

const OUTCOMES = ['passed', 'refused', 'failed'] as const;

/** What was counted lately. */
export interface Recent {
  readonly reading: Reading;
  /** Seconds that it covers: about a minute, less when the process is younger. */
  readonly seconds: number;
}

/** Milliseconds between two readings that are kept, and back to the one that is compared with. */
const KEEP_EVERY = 15_000;
const WINDOW = 60_000;

const MINUTE = 60_000;
const MINUTES = 60;

/** Remembers enough of past readings to tell the last minute from all before, and the last hour minute by minute. */
export class History {
  readonly #kept: { readonly at: number; readonly reading: Reading }[] = [];
  readonly #minutes: Minute[] = [];
  #counted: Outcomes = { passed: 0, refused: 0, failed: 0 };
  readonly #startedAt: number;

  /** @param startedAt monotonic milliseconds at which everything counted nothing */
  constructor(startedAt: number) {
    this.#startedAt = startedAt;
  }

  /** The last hour, oldest first; minutes in which nobody looked at the counters are not there. */
  get minutes(): readonly Readonly<Minute>[] {
    return this.#minutes;
  }

  /**
   * @param at monotonic milliseconds
   * @param time milliseconds since the epoch
   */
  add(reading: Reading, at: number, time: number): Recent {
    this.#count(outcomes(reading), time);
    // The newest that is old enough to be compared with stays, and what is younger.
    while (this.#kept[1] !== undefined && at - this.#kept[1].at >= WINDOW) this.#kept.shift();
    const base = this.#kept[0];
    const last = this.#kept.at(-1);
    if (last === undefined || at - last.at >= KEEP_EVERY) this.#kept.push({ at, reading });
    const young = base === undefined || at - this.#startedAt <= WINDOW;
    return {
      reading: difference(reading, young ? undefined : base.reading),
      seconds: Math.max(1, (at - (young ? this.#startedAt : base.at)) / 1000),
    };
  }

  /** @param now since the start; less than before where a worker died */
  #count(now: Outcomes, time: number): void {
    const start = Math.floor(time / MINUTE) * MINUTE;
    let minute = this.#minutes.at(-1);
    if (minute === undefined || minute.start < start) {
      minute = { start, passed: 0, refused: 0, failed: 0 };
      this.#minutes.push(minute);
      while ((this.#minutes[0]?.start ?? start) <= start - MINUTES * MINUTE) this.#minutes.shift();
    }
    for (const outcome of OUTCOMES) minute[outcome] += Math.max(0, now[outcome] - this.#counted[outcome]);
    this.#counted = now;
  }
}

/** How many requests passed, were refused, or failed. */
export function outcomes(reading: Reading): Outcomes {
  const decisions = totalsBy(reading, 'cognito_auth_proxy_decisions_total', 'decision');
  const decided = (decision: string): number => decisions.get(decision) ?? 0;
  const theirs = failedAnswers(reading);
  return {
    passed: Math.max(0, decided('allow') - theirs),
    refused: decided('deny'),
    failed: decided('fault') + theirs,
  };
}

/** The upstreams' own 5xx. */
function failedAnswers(reading: Reading): number {
  let sum = 0;
  const all = reading.get('cognito_auth_proxy_upstream_duration_seconds_count')?.values() ?? [];
  for (const series of all) if (textOf(series, 'status').startsWith('5')) sum += series.value;
  return sum;
}
