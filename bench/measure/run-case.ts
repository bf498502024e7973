import type { Case, ContenderName, Entrant, Load } from '../cases/case.ts';
import { awaitAnswer } from '../contenders/await-answer.ts';
import type { Running, Site } from '../contenders/contender.ts';
import { examine } from '../contenders/examine.ts';
import { startBeside } from '../load/beside.ts';
import { type Generate, pace, saturate, stream } from '../load/generate.ts';
import type { RequestFile } from '../world/requests.ts';
import { readAccount } from './accounting.ts';
import { watchDisturbance } from './disturbance.ts';
import { CONTENDERS, setUpEntrant } from './entrant-setup.ts';
import type { LoadResult, Measurement } from './measurement.ts';

/** How long and how often. */
export interface Effort {
  readonly rounds: number;
  readonly seconds: number;
  /** Seconds of load before the first round, at least. */
  readonly warmUp: number;
}

/** What one entrant did. */
export interface EntrantResult {
  readonly label: string;
  readonly contender: ContenderName;
  /** Seconds from its start to its first answer; null for the upstream, which was there before. */
  readonly ready: number | null;
  /** Bytes, before any load. */
  readonly idleMemory: number;
  readonly peakMemory: number;
  readonly rounds: readonly Measurement[];
}

/** Told of what goes on. */
export type Progress = (text: string) => void;

interface Lane {
  readonly entrant: Entrant;
  readonly running: Running;
  readonly requests: RequestFile;
  readonly forged: RequestFile;
  readonly ready: number | null;
  readonly idleMemory: number;
  readonly rounds: Measurement[];
  cursor: number;
}

/**
 * Runs a case: starts all entrants, lets each show that it checks what the others check, warms them up, and measures them
 * in interleaved rounds, so that whatever happens to the machine happens to all of them.
 */
export async function runCase(
  one: Case,
  site: Site,
  effort: Effort,
  progress: Progress,
): Promise<EntrantResult[]> {
  const lanes: Lane[] = [];
  try {
    for (const entrant of one.entrants) {
      lanes.push(await openLane(one, entrant, lanes.length, site));
      progress(`  ${entrant.label}: ready`);
    }
    for (const lane of lanes) await warmUp(lane, one, site, effort);
    const generate = await chooseLoad(one.load, lanes, site, effort, progress);
    const before = await Promise.all(lanes.map(({ running }) => running.cacheUse()));
    for (let round = 1; round <= effort.rounds; round++) {
      for (const lane of lanes) lane.rounds.push(await measure(lane, site, generate, effort.seconds));
      progress(`  round ${round}/${effort.rounds}: ${describeRound(lanes)}`);
    }
    for (const [i, lane] of lanes.entries()) {
      const after = await lane.running.cacheUse();
      const use = before[i];
      if (after === null || use == null || one.remembered === undefined) continue;
      checkRemembered(one.remembered, after.hits - use.hits, after.misses - use.misses, lane.entrant.label);
    }
    return lanes.map(({ entrant, running, ready, idleMemory, rounds }) => ({
      label: entrant.label,
      contender: entrant.contender,
      ready,
      idleMemory,
      peakMemory: readAccount(running.pid).peakMemory,
      rounds,
    }));
  } finally {
    await Promise.all(lanes.map(({ running }) => running.child?.stop()));
  }
}

async function openLane(one: Case, entrant: Entrant, index: number, site: Site): Promise<Lane> {
  const { setup, requests, forged } = await setUpEntrant(one, entrant, site);
  const contender = CONTENDERS[entrant.contender];
  const startedAt = performance.now();
  const running = await contender.start(site, setup, `${one.name}-${index}`);
  if (running.child !== null) {
    const url = `http://127.0.0.1:${running.port}/service-0/items/1`;
    await awaitAnswer(running.child, url, site.mint.token(), entrant.label);
  }
  const ready = running.child === null ? null : (performance.now() - startedAt) / 1000;
  const idleMemory = readAccount(running.pid).memory;
  if (contender.checks) await examine(entrant.label, running.port, site.mint);
  return { entrant, running, requests, forged, ready, idleMemory, rounds: [], cursor: 0 };
}

/** Code is compiled as it runs and tokens are remembered as they come: neither belongs into the figures. */
async function warmUp(lane: Lane, one: Case, site: Site, effort: Effort): Promise<void> {
  const generate = one.load.kind === 'stream' ? stream : saturate;
  // Each worker remembers for itself, and which of them a request meets is chance.
  const turns = (lane.entrant.workers ?? 1) === 1 ? 1 : 12;
  const wanted = one.remembered === 'all' ? lane.requests.count * turns : 0;
  let answers = 0;
  do {
    const result = await load(lane, site, generate, effort.warmUp);
    answers += result.amount;
  } while (answers < wanted);
}

async function chooseLoad(
  wanted: Load,
  lanes: readonly Lane[],
  site: Site,
  effort: Effort,
  progress: Progress,
): Promise<Generate> {
  if (wanted.kind !== 'paced') return wanted.kind === 'stream' ? stream : saturate;
  const lane = lanes.find(({ entrant }) => entrant.label === wanted.of);
  if (lane === undefined) throw new Error(`no entrant ${wanted.of}`);
  const { amount, seconds } = await load(lane, site, saturate, effort.seconds);
  const rate = Math.round((amount / seconds) * wanted.share);
  progress(`  ${rate.toLocaleString('en')} requests/s`);
  return pace(rate);
}

async function measure(lane: Lane, site: Site, generate: Generate, seconds: number): Promise<Measurement> {
  const { entrant, running } = lane;
  const companion =
    entrant.beside === undefined
      ? null
      : await startBeside(entrant.beside, {
          processes: site.processes,
          wrk: site.tools.wrk,
          cores: [site.cores.load],
          port: running.port,
          seconds,
          genuine: lane.requests,
          forged: lane.forged,
        });
  const forwardedBefore = await site.upstream.requests();
  const endWatch = watchDisturbance([site.cores.contender, ...site.cores.spare, site.cores.load]);
  const before = readAccount(running.pid);
  const result = await load(lane, site, generate, seconds);
  const after = readAccount(running.pid);
  const disturbed = endWatch();
  const forwarded = (await site.upstream.requests()) - forwardedBefore;
  if (generate !== stream && forwarded < result.amount) {
    throw new Error(`${entrant.label} answered ${result.amount} requests, the upstream had ${forwarded}`);
  }
  return {
    rate: result.amount / result.seconds,
    cpu: (after.cpu - before.cpu) / result.amount,
    p50: result.p50,
    p99: result.p99,
    peakMemory: after.peakMemory,
    beside: (await companion?.end()) ?? null,
    disturbed,
  };
}

async function load(lane: Lane, site: Site, generate: Generate, seconds: number): Promise<LoadResult> {
  const result = await generate({
    processes: site.processes,
    wrk: site.tools.wrk,
    cores: [site.cores.load],
    port: lane.running.port,
    requests: lane.requests,
    seconds,
    cursor: lane.cursor,
  });
  lane.cursor = result.cursor;
  return result;
}

/** Shares of look-ups that may turn out otherwise: callers of other examinations, and those that wait side by side. */
const TOLERANCE = 0.001;

function checkRemembered(expected: 'all' | 'none', hits: number, misses: number, label: string): void {
  const strays = expected === 'all' ? misses : hits;
  if (strays > (hits + misses) * TOLERANCE) {
    throw new Error(`${label}: ${hits} tokens were remembered and ${misses} were not, expected ${expected}`);
  }
}

function describeRound(lanes: readonly Lane[]): string {
  return lanes
    .map(
      ({ entrant, rounds }) =>
        `${entrant.label} ${Math.round(rounds.at(-1)?.rate ?? 0).toLocaleString('en')}/s`,
    )
    .join(', ');
}
