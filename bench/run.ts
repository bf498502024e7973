import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Case, MissingCase } from './cases/case.ts';
import { FULL, listCases, QUICK } from './cases/cases.ts';
import type { Site } from './contenders/contender.ts';
import { startUpstream } from './contenders/upstream.ts';
import { type Cores, describeMachine, shareCores } from './machine.ts';
import { runCase } from './measure/run-case.ts';
import { type Options, parseOptions, USAGE } from './options.ts';
import { findTools, type Tools } from './prerequisites.ts';
import { createProcesses } from './processes.ts';
import { takeProfile } from './profile/take-profile.ts';
import { drawChart } from './report/chart.ts';
import { describeTaking, refreshPage } from './report/page.ts';
import { type CaseResult, keepResult, makeResult, readResults } from './report/results.ts';
import { caseTable, goalTable } from './report/table.ts';
import { createMint } from './world/tokens.ts';

// The load tests: this proxy beside its peers, by hand or on demand, never as a test. What they are is in
// docs/performance.md. Figures go to standard output, what is going on to standard error.

const RESULTS = fileURLToPath(new URL('./results', import.meta.url));
const PAGE = fileURLToPath(new URL('../docs/performance.md', import.meta.url));
const CHART = 'requests-per-second.svg';
const ROOT = fileURLToPath(new URL('..', import.meta.url));

const progress = (text: string): void => void process.stderr.write(`${text}\n`);

function leave(code: number, text: string): never {
  process.stderr.write(text.endsWith('\n') ? text : `${text}\n`);
  process.exit(code);
}

const options = parseOptions(process.argv.slice(2));
if ('problem' in options) leave(2, `${options.problem}\n\n${USAGE}`);
if (options.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}
const searchPath = process.env['PATH'] ?? '';
// Daemons lie where only root's PATH leads.
const tools = findTools([...searchPath.split(delimiter), '/usr/sbin', '/sbin']);
if ('problem' in tools) leave(2, tools.problem);
const cores = shareCores(readFileSync('/proc/self/status', 'utf8'));
if (cores === null) leave(2, 'the bench needs two cores: one for the contender, one for the load');

const all = listCases(options.quick ? QUICK : FULL);
const unknown = options.cases?.find((word) => !all.some((one) => one.letter === word || one.name === word));
if (unknown !== undefined) {
  const known = all.map(({ letter, name }) => `${letter} (${name})`).join(', ');
  leave(2, `there is no case ${unknown}: ${known}`);
}
const chosen = all.filter(
  ({ letter, name }) =>
    options.cases === null || options.cases.includes(letter) || options.cases.includes(name),
);

const folder = mkdtempSync(join(tmpdir(), 'cognito-auth-proxy-bench-'));
const processes = createProcesses(tools, { PATH: searchPath, NODE_ENV: 'production' });
const cleanUp = async (): Promise<void> => {
  await processes.stopAll();
  rmSync(folder, { recursive: true, force: true });
};
// As shells tell how a command ended: 128 and the number of the signal.
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  process.once(signal, () => {
    progress(`${signal}: ending what was started`);
    void cleanUp().finally(() => process.exit(code));
  });
}

try {
  await main();
} catch (error) {
  process.exitCode = 1;
  progress(error instanceof Error ? error.message : String(error));
} finally {
  await cleanUp();
}

async function main(): Promise<void> {
  const { rounds, seconds, quick, profile } = options as Options;
  const site = await prepareSite();
  if (profile) {
    const profiled = chosen.find((one): one is Case => !('missing' in one) && one.load.kind === 'saturate');
    if (profiled === undefined) throw new Error('none of these cases can be profiled');
    progress(describeCase(profiled));
    const folder = join(RESULTS, 'profile');
    process.stdout.write(`${await takeProfile(profiled, site, { seconds, folder })}\n`);
    return;
  }
  const machine = describeMachine(site.tools);
  const results = quick ? join(RESULTS, 'quick') : RESULTS;
  const effort = { rounds, seconds, warmUp: quick ? 2 : 5 };
  const done: CaseResult[] = [];
  for (const one of chosen) {
    progress(describeCase(one));
    if ('missing' in one) continue;
    const entrants = await runCase(one, site, effort, progress);
    const result = makeResult(one, entrants, { date: new Date().toISOString(), machine, rounds, seconds });
    keepResult(results, result);
    done.push(result);
    process.stdout.write(`\n${describeCase(one)}\n\n${caseTable(result)}\n\n${describeTaking(result)}\n\n`);
  }
  if (done.some(({ goals }) => goals.length > 0)) process.stdout.write(`${goalTable(done)}\n`);

  const kept = readResults(
    results,
    all.map(({ name }) => name),
  );
  const chart = drawChart(kept);
  if (chart !== null) writeFileSync(join(results, CHART), chart);
  if (!quick) refreshPage(PAGE, kept, chart === null ? null : `../bench/results/${CHART}`);
}

/** The upstream and all that contenders are started with. */
async function prepareSite(): Promise<Site> {
  progress('compiling');
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: ROOT });
  const ground = {
    processes,
    tools: tools as Tools,
    cores: cores as Cores,
    mint: createMint(folder),
    folder,
  };
  return { ...ground, upstream: await startUpstream(ground) };
}

function describeCase(one: Case | MissingCase): string {
  const title = 'missing' in one ? `left out: ${one.missing}` : one.title;
  return `(${one.letter}) ${one.name}: ${title}`;
}
