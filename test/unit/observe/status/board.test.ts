import { setImmediate } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { sampleOwn } from '../../../../src/observe/combine-metrics.ts';
import { createLimitMetrics } from '../../../../src/observe/limit-metrics.ts';
import { createRegistry } from '../../../../src/observe/metrics.ts';
import { createStatusBoard, type StatusBoard } from '../../../../src/observe/status/board.ts';
import type { Status } from '../../../../src/observe/status/status.ts';
import type { Phase } from '../../../../src/observe/status/view.ts';
import { createFakeClock, type FakeClock } from '../../../support/fake-clock.ts';
import { configOf, metricsOf, NIGHT } from '../../../support/status-view.ts';

let clock: FakeClock;
let board: StatusBoard;
let samples: number;
let phase: Phase;
let exposition: string[];
let failures: unknown[];
let sample: () => Promise<readonly object[]>;

beforeEach(() => {
  clock = createFakeClock(NIGHT);
  samples = 0;
  phase = 'ready';
  exposition = ['cognito_auth_proxy_jwks_age_seconds{pool="main"} 1'];
  failures = [];
  sample = async () => metricsOf(exposition);
  board = createStatusBoard({
    clock,
    config: () => configOf(),
    phase: () => phase,
    sample() {
      samples += 1;
      return sample();
    },
    onFailure: (error) => failures.push(error),
  });
});

/** A second at a time, with what is asynchronous done in each. */
async function pass(seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    // What is due at once is done before the hands move, or it would seem to take that long.
    for (const milliseconds of [0, 1_000]) {
      clock.advance(milliseconds);
      for (let turn = 0; turn < 4; turn += 1) await setImmediate();
    }
  }
}

describe('the status', () => {
  it('is made every fifteen seconds while nobody looks', async () => {
    board.start();
    await pass(60);
    expect(samples).toBe(5);
  });

  it('is made every second while somebody looks, once for all of them', async () => {
    board.start();
    await pass(60);
    samples = 0;
    const told: Status[] = [];
    const ends = [0, 1, 2].map(() => board.watch((status) => told.push(status)));
    await pass(10);
    expect(samples).toBeGreaterThanOrEqual(9);
    expect(samples).toBeLessThanOrEqual(11);
    expect(new Set(told).size).toBe(samples + 1);

    for (const end of ends) end();
    await pass(1);
    samples = 0;
    told.length = 0;
    await pass(60);
    expect(samples).toBeLessThanOrEqual(5);
    expect(told).toEqual([]);
  });

  it('lets requests have their turn before all of it is made', async () => {
    let turns = 0;
    let made = false;
    const making = board.current().then(() => {
      made = true;
    });
    for (; !made; turns += 1) await setImmediate();
    await making;
    expect(turns).toBeGreaterThan(2);
  });

  it('takes no more than a twentieth of the time, however long it takes', async () => {
    sample = () => new Promise((resolve) => void clock.after(200, () => resolve(metricsOf(exposition))));
    board.start();
    board.watch(() => undefined);
    await pass(40);
    expect(samples).toBeLessThanOrEqual(11);
  });

  it('is made once for all who ask at the same time, and not again at once where it takes long', async () => {
    sample = () => new Promise((resolve) => void clock.after(200, () => resolve(metricsOf(exposition))));
    const all = [board.current(), board.current(), board.current()];
    await pass(1);
    expect(new Set(await Promise.all(all)).size).toBe(1);
    await board.current();
    expect(samples).toBe(1);
    await pass(30);
    void board.current();
    expect(samples).toBe(2);
  });

  it('dates what is wrong from when it was first seen, until it is over', async () => {
    board.start();
    await pass(30);
    exposition.push('cognito_auth_proxy_config_last_reload_successful 0');
    await pass(45);
    const [wrong] = (await board.current()).findings;
    expect(wrong?.key).toBe('reload');
    expect((wrong?.since ?? 0) - NIGHT).toBeLessThanOrEqual(46_000);
    const since = wrong?.since;
    await pass(600);
    expect((await board.current()).findings[0]?.since).toBe(since);
    exposition.pop();
    await pass(16);
    expect((await board.current()).findings).toEqual([]);
  });

  it('has what a registry of this process has counted in the last minute, however long it runs', async () => {
    const registry = createRegistry();
    const { rateStoreAsked } = createLimitMetrics(registry, {
      connections: () => 0,
      webSockets: () => 0,
      admissions: () => new Map(),
    });
    sample = () => sampleOwn(registry);
    board.start();
    const told = new Set<string | undefined>();
    for (let quarter = 0; quarter < 20; quarter += 1) {
      rateStoreAsked('failure');
      await pass(15);
      // In the first minute and a quarter the window is still growing.
      const { findings } = await board.current();
      if (quarter >= 5) told.add(findings.find(({ key }) => key === 'rate store')?.what);
    }
    expect([...told]).toEqual(['The store of rate limits did not answer 4 questions']);
  });

  it('goes on after a failure, and tells it', async () => {
    const failure = new Error('a worker has gone');
    sample = () => Promise.reject(failure);
    board.start();
    await pass(1);
    expect(failures).toEqual([failure]);
    sample = async () => metricsOf(exposition);
    await pass(15);
    expect((await board.current()).findings).toEqual([]);
  });

  it('is made no more, and keeps no timer, once it is stopped', async () => {
    board.start();
    board.watch(() => undefined);
    await pass(3);
    board.stop();
    samples = 0;
    await pass(60);
    expect(samples).toBe(0);
    expect(clock.waiting).toEqual([]);
  });
});
