import cluster from 'node:cluster';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Config } from '../../../src/config/schema/config.ts';
import { createWorkerGroup, type WorkerGroup } from '../../../src/listen/worker-group.ts';
import { mergeMetrics } from '../../../src/observe/combine-metrics.ts';
import { configOf } from '../../support/config-text.ts';
import { createFakeClock, type FakeClock } from '../../support/fake-clock.ts';
import { type LogLine, recordingLogger } from '../../support/recording-logger.ts';

// Every test starts processes of its own, on machines that may have little to give.
vi.setConfig({ testTimeout: 60_000 });

const DOUBLE = fileURLToPath(new URL('../../support/worker-double.ts', import.meta.url));
const ONE_ROUTE = configOf('server: { shutdown: { unready: 1s, drain: 2s } }');
const TWO_ROUTES: Config = { ...ONE_ROUTE, routes: [...ONE_ROUTE.routes, ...ONE_ROUTE.routes] };

let clock: FakeClock;
let log: LogLine[];
let onLine: (() => void) | undefined;
let group: WorkerGroup;

beforeEach(() => {
  clock = createFakeClock();
  log = [];
});
afterEach(async () => {
  delete process.env['WORKER_BEHAVIOUR'];
  const left = Object.values(cluster.workers ?? {});
  await Promise.all(
    left.map(async (worker) => {
      const exit = once(worker?.process ?? process, 'exit');
      worker?.process.kill('SIGKILL');
      await exit;
    }),
  );
});

/** Two workers that behave like this from the start. */
function make(behaviour: string, workers = 2): WorkerGroup {
  process.env['WORKER_BEHAVIOUR'] = behaviour;
  group = createWorkerGroup({
    workers,
    config: ONE_ROUTE,
    dev: false,
    module: DOUBLE,
    fetchKeys: () => Promise.reject(new Error('no keys here')),
    takeRate: () => ({ allowed: true, remaining: 0, next: 1 }),
    mergeMetrics,
    clock,
    logger: recordingLogger(log, () => onLine?.()),
  });
  return group;
}

const pids = (): (number | undefined)[] =>
  Object.values(cluster.workers ?? {}).map((worker) => worker?.process.pid);

/** Waits until there are so many lines with this message. */
function logged(message: string, count: number): Promise<void> {
  return new Promise((resolve) => {
    onLine = () => {
      if (log.filter((line) => line.message === message).length >= count) resolve();
    };
    onLine();
  });
}

const LISTENS = 'a worker listens';
const DIED = 'a worker died and is replaced';

/** Kills the first worker; resolves when its death is known. */
async function kill(): Promise<void> {
  const deaths = log.filter((line) => line.message === DIED).length;
  process.kill(pids()[0] ?? 0, 'SIGKILL');
  await logged(DIED, deaths + 1);
}

function valuesOf(lists: readonly (readonly object[])[], name: string): number[] {
  const metrics = lists.flat() as { name: string; values: { value: number }[] }[];
  return metrics
    .filter((metric) => metric.name === name)
    .flatMap(({ values }) => values.map(({ value }) => value));
}

describe('a group of workers', () => {
  it('starts all, is ready with them, and stops all', async () => {
    make('good');
    expect(group.ready()).toBe(false);
    expect(await group.start()).toBe(4711);
    expect(pids()).toHaveLength(2);
    // The message that a worker is ready comes behind the one that it listens.
    await group.collect();
    expect(group.ready()).toBe(true);
    expect(log.map((line) => line.message)).toEqual([LISTENS, LISTENS]);
    await group.stop();
    expect(group.ready()).toBe(false);
    expect(pids()).toEqual([]);
    expect(clock.waiting).toEqual([]);
  });

  it.each([
    ['failing', 'no port for me'],
    ['dying', /^worker \d+ ended before it listened \(7\)$/],
  ])('does not start with workers that are %s, and leaves none', async (behaviour, message) => {
    await expect(make(behaviour).start()).rejects.toThrow(message);
    expect(pids()).toEqual([]);
    clock.advance(60_000);
    expect(pids()).toEqual([]);
    expect(log).toEqual([]);
  });

  it('replaces one that dies at once, then later and later while they keep dying', async () => {
    make('good');
    await group.start();
    const delays = [0, 1_000, 2_000, 5_000, 10_000, 10_000];
    for (const [deaths, delay] of delays.entries()) {
      await kill();
      expect(clock.waiting).toEqual([delay]);
      expect(pids()).toHaveLength(1);
      clock.advance(delay);
      await logged(LISTENS, deaths + 3);
    }
    // Whoever has lived soundly dies for the first time.
    clock.advance(60_000);
    await kill();
    expect(clock.waiting).toEqual([0]);
  });

  it('says of a replacement that it cannot start, and tries again', async () => {
    make('good');
    await group.start();
    // Answered after what the workers had told before: that they are ready.
    await group.collect();
    process.env['WORKER_BEHAVIOUR'] = 'failing';
    await kill();
    clock.advance(0);
    await logged('a worker could not start', 1);
    await logged(DIED, 2);
    process.env['WORKER_BEHAVIOUR'] = 'good';
    clock.advance(1_000);
    await logged(LISTENS, 3);
    expect(pids()).toHaveLength(2);
    expect(group.ready()).toBe(true);
  });

  it('is no longer ready once it has been told to stop, and replaces nobody then', async () => {
    make('good');
    await group.start();
    await group.collect();
    await kill();
    const stopped = group.stop();
    expect(group.ready()).toBe(false);
    await stopped;
    clock.advance(60_000);
    expect(pids()).toEqual([]);
  });
});

describe('its metrics', () => {
  it('keep what the dead have counted, once, and not what they were', async () => {
    make('good');
    await group.start();
    expect(valuesOf(await group.collect(), 'answers')).toEqual([10, 10]);
    expect(valuesOf(await group.collect(), 'open')).toEqual([1, 1]);
    await kill();
    const after = await group.collect();
    expect(valuesOf(after, 'answers')).toEqual([30, 20]);
    expect(valuesOf(after, 'open')).toEqual([1]);
    clock.advance(0);
    await logged(LISTENS, 3);
    await kill();
    const later = await group.collect();
    expect(valuesOf(later, 'answers').reduce((sum, value) => sum + value)).toBe(60);
    expect(later.length).toBe(2);
  });

  it('are what a worker has last told, while it is stuck', async () => {
    make('stuck');
    await group.start();
    expect(valuesOf(await group.collect(), 'answers')).toEqual([10, 10]);
    const collected = group.collect();
    expect(clock.waiting).toEqual([1_000, 1_000]);
    clock.advance(1_000);
    expect(valuesOf(await collected, 'answers')).toEqual([10, 10]);
  });

  it('do not wait for a worker that dies meanwhile', async () => {
    make('stuck', 1);
    await group.start();
    await group.collect();
    const collected = group.collect();
    await kill();
    expect(valuesOf(await collected, 'answers')).toEqual([10]);
  });
});

describe('its configuration', () => {
  it('is taken over when all have taken it over', async () => {
    make('good');
    await group.start();
    await group.reload(TWO_ROUTES);
    expect(clock.waiting).toEqual([]);
  });

  it('that one cannot take over is none that the others keep, or a successor gets', async () => {
    make('good', 1);
    await group.start();
    process.env['WORKER_BEHAVIOUR'] = 'unwilling';
    await kill();
    clock.advance(0);
    await logged(LISTENS, 2);
    await expect(group.reload(TWO_ROUTES)).rejects.toThrow('too many routes for me');
    await group.reload(ONE_ROUTE);
    expect(clock.waiting).toEqual([]);
  });

  it('is refused where a worker does not answer', async () => {
    make('stuck', 1);
    await group.start();
    const reloaded = group.reload(TWO_ROUTES);
    const refused = expect(reloaded).rejects.toThrow(/^worker \d+ does not answer$/);
    clock.advance(10_000);
    // Told to go back, it does not answer either.
    while (clock.waiting.length === 0) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(10_000);
    await refused;
  });
});

describe('its end', () => {
  it('comes for workers that do not stop: they are killed after the time they have, and some more', async () => {
    make('stuck');
    await group.start();
    const stopped = group.stop();
    expect(clock.waiting).toEqual([1_000 + 2_000 + 5_000]);
    const expected = pids();
    clock.advance(8_000);
    await stopped;
    expect(log.at(-1)).toEqual({
      level: 'error',
      message: 'workers did not stop and are killed',
      workers: expected,
    });
    expect(pids()).toEqual([]);
  });
});
