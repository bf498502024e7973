import { readFileSync, writeFileSync } from 'node:fs';
import { type CaseResult, disturbanceOf, QUIET } from './results.ts';
import { caseTable, goalTable } from './table.ts';

const BEGIN = '<!-- results: written by npm run bench -->';
const END = '<!-- end of results -->';

/**
 * Puts new results between the markers of a page.
 * @param chart its path as the page sees it; null when there is none
 */
export function refreshPage(file: string, results: readonly CaseResult[], chart: string | null): void {
  const picture = chart === null ? '' : `![Authorised requests per second, by contender](${chart})\n\n`;
  writeFileSync(file, replaceResults(readFileSync(file, 'utf8'), picture + writeResults(results)));
}

/** @throws when the markers are not there */
export function replaceResults(page: string, results: string): string {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new Error('the page has no place for results');
  return `${page.slice(0, begin + BEGIN.length)}\n\n${results}\n\n${page.slice(end)}`;
}

/** The results as a part of a page. */
export function writeResults(results: readonly CaseResult[]): string {
  const sections = results.map((result) => {
    const { letter, name, title } = result;
    return `### (${letter}) ${name}: ${title}\n\n${caseTable(result)}\n\n${describeTaking(result)}`;
  });
  const goals = results.some((result) => result.goals.length > 0)
    ? [`### Goals\n\n${goalTable(results)}`]
    : [];
  return [describeMachines(results), ...goals, ...sections].join('\n\n');
}

/** When a result was taken, how, and how quiet the machine was meanwhile. */
export function describeTaking(result: CaseResult): string {
  const { date, rounds, seconds, unit } = result;
  const effort = unit === 'MiB/s' ? `${rounds} rounds` : `${rounds} rounds of ${seconds} s`;
  const disturbance = disturbanceOf(result);
  const others =
    disturbance > QUIET
      ? ` Other work took ${Math.round(disturbance * 100)} % of the cores meanwhile: take these figures with care.`
      : '';
  return `Taken ${date.slice(0, 10)}, ${effort}.${others}`;
}

/** Results may be of several runs; what they ran on is said once for all that agree. */
function describeMachines(results: readonly CaseResult[]): string {
  const machines = new Map<string, string[]>();
  for (const { machine, letter } of results) {
    const versions = Object.entries(machine.versions).map(([what, version]) => `${what} ${version}`);
    const text =
      `${machine.cpu}, ${machine.cores} cores, ${machine.memory} GiB, Linux ${machine.kernel}; ` +
      `${versions.join(', ')}.`;
    machines.set(text, [...(machines.get(text) ?? []), letter]);
  }
  if (machines.size === 1) return [...machines.keys()].join('');
  return [...machines].map(([text, letters]) => `- ${letters.join(', ')}: ${text}`).join('\n');
}
