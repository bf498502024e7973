import { setImmediate as turn } from 'node:timers/promises';
import type { Config } from '../../config/schema/config.ts';
import type { Clock, Timer } from '../../core/ports.ts';
import type { Finding } from './finding.ts';
import { History } from './history.ts';
import { readMetrics } from './reading.ts';
import { describeStatus, type Status } from './status.ts';
import type { Phase } from './view.ts';

/** Keeps the status of a service: seldom while nobody looks, every second while somebody does, once for all of them. */
export interface StatusBoard {
  start(): void;
  /** The status as it is now, or as it was a moment ago where it takes long to make. */
  current(): Promise<Status>;
  /** Tells every new status, and the last one at once if there is one. @returns ends it */
  watch(tell: (status: Status) => void): () => void;
  stop(): void;
}

export interface StatusBoardOptions {
  readonly clock: Clock;
  readonly config: () => Config;
  readonly phase: () => Phase;
  /** The metrics of all processes that are ours, as prom-client's JSON. */
  readonly sample: () => Promise<readonly object[]>;
  /** Told why a status could not be made. */
  readonly onFailure: (error: unknown) => void;
}

/** Milliseconds between two statuses. */
const WATCHED = 1_000;
const UNWATCHED = 15_000;

/** With many routes a status takes a while: no more than this part of the time is spent on it. */
const PART = 0.05;

export function createStatusBoard(options: StatusBoardOptions): StatusBoard {
  const { clock } = options;
  const watchers = new Set<(status: Status) => void>();
  const history = new History(clock.monotonic());
  const found = new Map<string, number>();
  let status: Status | null = null;
  let madeAt = Number.NEGATIVE_INFINITY;
  let took = 0;
  let underWay: Promise<Status> | null = null;
  let timer: Timer | null = null;
  let running = false;
  const lateness = [0, 0];

  const make = async (): Promise<Status> => {
    const begun = clock.monotonic();
    const now = readMetrics(await options.sample());
    const sampled = clock.monotonic();
    const time = clock.now();
    const config = options.config();
    const recent = history.add(now, sampled, time);
    // Here and below, requests that wait have their turn: with thousands of routes each piece takes tens of milliseconds.
    await turn();
    const { minutes } = history;
    const view = {
      config,
      phase: options.phase(),
      time,
      now,
      recent,
      minutes,
      lateness: Math.min(...lateness),
    };
    const still = new Set<string>();
    const next = describeStatus(view, ({ key }: Finding) => {
      still.add(key);
      const since = found.get(key) ?? time;
      found.set(key, since);
      return since;
    });
    for (const key of found.keys()) if (!still.has(key)) found.delete(key);
    await turn();
    status = next;
    madeAt = clock.monotonic();
    took = madeAt - begun;
    for (const tell of watchers) tell(next);
    return next;
  };

  const makeOnce = (): Promise<Status> => {
    underWay ??= make().finally(() => {
      underWay = null;
    });
    return underWay;
  };

  const schedule = (wait: number): void => {
    timer?.cancel();
    if (!running) return;
    const due = clock.monotonic() + wait;
    timer = clock.after(wait, () => {
      lateness.push(clock.monotonic() - due);
      lateness.shift();
      void makeOnce()
        .catch(options.onFailure)
        .finally(() => schedule(pace()));
    });
  };

  const pace = (): number => Math.max(watchers.size > 0 ? WATCHED : UNWATCHED, took / PART);

  return {
    start() {
      running = true;
      schedule(0);
    },
    async current() {
      const fresh = status !== null && clock.monotonic() - madeAt < took / PART;
      return fresh && status !== null ? status : makeOnce();
    },
    watch(tell) {
      watchers.add(tell);
      // What is there may be old: a new one is made at once for the first who looks.
      if (watchers.size === 1) schedule(0);
      else if (status !== null) tell(status);
      return () => watchers.delete(tell);
    },
    stop() {
      running = false;
      timer?.cancel();
      watchers.clear();
    },
  };
}
