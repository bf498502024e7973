import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Case, Goal, Metric } from '../cases/case.ts';
import type { Machine } from '../machine.ts';
import type { EntrantResult } from '../measure/run-case.ts';
import { median, ratios, type Spread, spreadOf } from '../measure/statistics.ts';

/** A case as it is kept. */
export interface CaseResult {
  readonly letter: string;
  readonly name: string;
  readonly title: string;
  readonly unit: 'requests/s' | 'MiB/s';
  readonly date: string;
  readonly machine: Machine;
  readonly rounds: number;
  readonly seconds: number;
  readonly compares: Metric;
  readonly reference: string;
  readonly entrants: readonly EntrantResult[];
  readonly goals: readonly JudgedGoal[];
}

export interface JudgedGoal extends Goal {
  readonly measured: number;
  readonly met: boolean;
}

export function makeResult(
  one: Case,
  entrants: readonly EntrantResult[],
  taken: Pick<CaseResult, 'date' | 'machine' | 'rounds' | 'seconds'>,
): CaseResult {
  const { letter, name, title, compares, reference } = one;
  const unit = one.load.kind === 'stream' ? 'MiB/s' : 'requests/s';
  const goals = one.goals.map((goal) => judge(goal, entrants));
  return { letter, name, title, unit, ...taken, compares, reference, entrants, goals };
}

/** One figure of an entrant over all rounds, or as often as it was taken. */
export function figures(entrant: EntrantResult, metric: Metric): readonly number[] {
  switch (metric) {
    case 'idleMemory':
      return [entrant.idleMemory];
    case 'firstPeakMemory':
      return entrant.rounds.slice(0, 1).map((round) => round.peakMemory);
    case 'ready':
      return [entrant.ready ?? Number.NaN];
    default:
      return entrant.rounds.map((round) => round[metric] ?? Number.NaN);
  }
}

/** How an entrant compares with another, round by round; null when one of them has no such figure. */
export function compare(
  entrants: readonly EntrantResult[],
  label: string,
  reference: string,
  metric: Metric,
): Spread | null {
  const [one, other] = [label, reference].map((name) => entrants.find((entrant) => entrant.label === name));
  if (one === undefined || other === undefined) return null;
  const spread = spreadOf(ratios(figures(one, metric), figures(other, metric)));
  return Number.isFinite(spread.median) ? spread : null;
}

function judge(goal: Goal, entrants: readonly EntrantResult[]): JudgedGoal {
  const entrant = entrants.find(({ label }) => label === goal.entrant);
  const measured =
    goal.against === undefined
      ? spreadOf(entrant === undefined ? [] : figures(entrant, goal.metric)).median
      : (compare(entrants, goal.entrant, goal.against, goal.metric)?.median ?? Number.NaN);
  const met = goal.direction === 'at least' ? measured >= goal.bar : measured <= goal.bar;
  return { ...goal, measured, met };
}

/** The share of the cores' time that others may take before it is worth saying. */
export const QUIET = 0.02;

/** The share of the cores' time that others took while this was measured. */
export function disturbanceOf(result: CaseResult): number {
  return median(result.entrants.flatMap(({ rounds }) => rounds.map(({ disturbed }) => disturbed)));
}

export function keepResult(folder: string, result: CaseResult): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${result.name}.json`), `${JSON.stringify(result, null, 2)}\n`);
}

/** All results that are kept, in the order of these names. */
export function readResults(folder: string, names: readonly string[]): CaseResult[] {
  const kept = new Set(readdirSync(folder));
  return names
    .filter((name) => kept.has(`${name}.json`))
    .map((name) => JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as CaseResult);
}
