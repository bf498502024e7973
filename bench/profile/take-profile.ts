import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { awaitAnswer } from '../contenders/await-answer.ts';
import type { Site } from '../contenders/contender.ts';
import { proxy } from '../contenders/proxy.ts';
import { saturate } from '../load/generate.ts';
import { formatTable } from '../report/table.ts';
import { writeRequests } from '../world/requests.ts';
import { type CpuProfile, summarizeProfile, type TimeShare } from './summarize-profile.ts';

/** Lines of each list. */
const SHOWN = 50;

/** Microseconds between two samples; V8's own default of 1,000 misses what is short. */
const SAMPLING = 250;

/**
 * Profiles this proxy under the load of case (a): where the time goes, by function and by source.
 *
 * @param folder where V8's profile is left, for a viewer
 * @returns the two tables
 */
export async function takeProfile(site: Site, seconds: number, folder: string): Promise<string> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const nodeArguments = ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-interval=${SAMPLING}`];
  const setup = { routes: 200, workers: 1, cacheEntries: 50_000, nodeArguments };
  const running = await proxy.start(site, setup, 'profiled');
  if (running.child === null) throw new Error('there is no process to profile');
  const tokens = await site.mint.tokens(1_000);
  const requests = writeRequests(site.folder, { kind: 'read', routes: setup.routes, tokens });
  const { port, child } = running;
  await awaitAnswer(child, `http://127.0.0.1:${port}/service-0/items/1`, site.mint.token(), 'the proxy');
  const aim = {
    processes: site.processes,
    wrk: site.tools.wrk,
    cores: [site.cores.load],
    port,
    requests,
    seconds,
    cursor: 0,
  };
  await saturate(aim);
  const from = microseconds();
  await saturate(aim);
  const to = microseconds();
  // The profile is written when the process ends well.
  await child.stop();
  const [file] = readdirSync(folder);
  if (file === undefined) throw new Error('no profile was written');
  const profile = JSON.parse(readFileSync(join(folder, file), 'utf8')) as CpuProfile;
  const { functions, sources } = summarizeProfile(profile, { from, to });
  return [writeShares('function, by itself', functions), writeShares('on behalf of', sources)].join('\n\n');
}

function writeShares(title: string, shares: readonly TimeShare[]): string {
  const rows = shares.slice(0, SHOWN).map(({ what, share }) => [what, `${(share * 100).toFixed(1)} %`]);
  return formatTable([[title, 'time'], ...rows]);
}

/** The monotonic clock, which V8 stamps its profiles with. */
function microseconds(): number {
  return Number(process.hrtime.bigint() / 1000n);
}
