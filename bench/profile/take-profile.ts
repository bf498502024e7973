import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Case } from '../cases/case.ts';
import { awaitAnswer } from '../contenders/await-answer.ts';
import type { Site } from '../contenders/contender.ts';
import { proxy } from '../contenders/proxy.ts';
import { saturate } from '../load/generate.ts';
import { setUpEntrant } from '../measure/entrant-setup.ts';
import { formatTable } from '../report/table.ts';
import type { Share } from './frames.ts';
import {
  type AllocationProfile,
  type CpuProfile,
  summarizeAllocations,
  summarizeProfile,
} from './summarize-profile.ts';

/** Lines of each table. */
const SHOWN = 40;

/** Microseconds between two samples; V8's own default of 1,000 misses what is short. */
const SAMPLING = 250;

const ALLOCATIONS = 'allocations.heapprofile';

export interface ProfileOptions {
  readonly seconds: number;
  /** Where V8's profiles are left, for a viewer. */
  readonly folder: string;
}

/**
 * Profiles this proxy under the load of a case: where the time goes, and who allocates.
 * @returns tables
 */
export async function takeProfile(one: Case, site: Site, options: ProfileOptions): Promise<string> {
  const { folder } = options;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });

  const sampling = ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-interval=${SAMPLING}`];
  const window = await runProfiled(one, site, options.seconds, sampling);
  const [file = ''] = readdirSync(folder);
  const cpu = summarizeProfile(readJson<CpuProfile>(join(folder, file)), window);

  const preload = fileURLToPath(new URL('./sample-allocations.js', import.meta.url));
  const { answers } = await runProfiled(one, site, options.seconds, ['--import', preload]);
  copyFileSync(join(site.folder, ALLOCATIONS), join(folder, ALLOCATIONS));
  const allocated = summarizeAllocations(readJson<AllocationProfile>(join(folder, ALLOCATIONS)));

  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
  const bytes = (share: number): string =>
    Math.round((share * allocated.total) / answers).toLocaleString('en');
  return [
    writeShares('time on behalf of', 'share', cpu.sources, percent),
    writeShares('time in the function itself', 'share', cpu.functions, percent),
    writeShares('allocated on behalf of', 'bytes/request', allocated.sources, bytes),
    writeShares('allocated by the function itself', 'bytes/request', allocated.functions, bytes),
  ].join('\n\n');
}

interface ProfiledRun {
  /** When the second half ran, with everything warm: microseconds of the monotonic clock. */
  readonly from: number;
  readonly to: number;
  /** Requests answered in all. */
  readonly answers: number;
}

async function runProfiled(
  one: Case,
  site: Site,
  seconds: number,
  nodeArguments: readonly string[],
): Promise<ProfiledRun> {
  const entrant = one.entrants.find(({ contender }) => contender === 'proxy');
  if (entrant === undefined) throw new Error(`this proxy has no part in ${one.name}`);
  const { setup, requests } = await setUpEntrant(one, entrant, site, nodeArguments);
  const { child, port } = await proxy.start(site, setup, 'profiled');
  if (child === null) throw new Error('there is no process to profile');
  await awaitAnswer(child, `http://127.0.0.1:${port}/service-0/items/1`, site.mint.token(), 'the proxy');
  const load = (cursor: number) =>
    saturate({
      processes: site.processes,
      wrk: site.tools.wrk,
      cores: [site.cores.load],
      port,
      requests,
      seconds,
      cursor,
    });
  const first = await load(0);
  const from = microseconds();
  const second = await load(first.cursor);
  const to = microseconds();
  // Profiles are written when the process ends well.
  await child.stop();
  return { from, to, answers: first.amount + second.amount };
}

function writeShares(
  title: string,
  unit: string,
  shares: readonly Share[],
  write: (share: number) => string,
): string {
  const rows = shares.slice(0, SHOWN).map(({ what, share }) => [what, write(share)]);
  return formatTable([[title, unit], ...rows]);
}

function readJson<T>(file: string): T {
  return JSON.parse(readFileSync(file, 'utf8')) as T;
}

/** The monotonic clock, which V8 stamps its profiles with. */
function microseconds(): number {
  return Number(process.hrtime.bigint() / 1000n);
}
