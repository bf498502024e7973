import type { Metric } from '../cases/case.ts';
import { median } from '../measure/statistics.ts';
import { type CaseResult, compare, figures, type JudgedGoal } from './results.ts';

/** A table in Markdown, with columns of even width so that it can be read as it is. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const [head = []] = rows;
  const widths = head.map((_, column) => Math.max(3, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join(' | ')} |`;
  const rule = widths.map((width, column) =>
    column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  return [line(head), line(rule), ...rows.slice(1).map(line)].join('\n');
}

const COMPARED: Readonly<Record<Metric, string>> = {
  rate: 'rate',
  cpu: 'CPU',
  p50: 'p50',
  p99: 'p99',
  firstPeakMemory: 'memory',
  idleMemory: 'memory',
  ready: 'start',
};

/** The figures of one case: the middle of all rounds, and the range of the ratio. */
export function caseTable(result: CaseResult): string {
  const { entrants, unit, compares, reference } = result;
  const per = unit === 'MiB/s' ? 'MiB' : 'request';
  const beside = entrants.some(({ rounds }) => rounds.some((round) => round.beside !== null));
  const head = ['', unit, `CPU µs/${per}`, 'p50 ms', 'p99 ms', 'peak MB'];
  if (beside) head.push('refused/s');
  head.push(`${COMPARED[compares]} / ${reference}`);
  const rows = entrants.map((entrant) => {
    const middle = (metric: Metric): number => median(figures(entrant, metric));
    const spread = compare(entrants, entrant.label, reference, compares);
    const cells = [
      entrant.label,
      count(middle('rate')),
      middle('cpu').toFixed(1),
      milliseconds(middle('p50')),
      milliseconds(middle('p99')),
      count(entrant.peakMemory / 2 ** 20),
    ];
    if (beside) cells.push(count(median(entrant.rounds.map((round) => round.beside ?? Number.NaN))));
    const range = spread === null ? '' : ` (${spread.least.toFixed(2)} to ${spread.most.toFixed(2)})`;
    cells.push(spread === null || entrant.label === reference ? '' : `${spread.median.toFixed(2)}${range}`);
    return cells;
  });
  return formatTable([head, ...rows]);
}

/** What was to be reached, and what was. */
export function goalTable(results: readonly CaseResult[]): string {
  const rows = results.flatMap((result) =>
    result.goals.map((goal) => [
      `(${result.letter}) ${goal.what}`,
      inItsUnit(goal, goal.measured),
      `${goal.direction} ${inItsUnit(goal, goal.bar)}`,
      goal.aim === undefined ? '' : inItsUnit(goal, goal.aim),
      goal.met ? (meetsAim(goal) ? 'met, and the aim' : 'met') : 'missed',
    ]),
  );
  return formatTable([['', 'measured', 'bar', 'aim', ''], ...rows]);
}

function meetsAim({ aim, direction, measured }: JudgedGoal): boolean {
  if (aim === undefined) return false;
  return direction === 'at least' ? measured >= aim : measured <= aim;
}

function inItsUnit(goal: JudgedGoal, figure: number): string {
  if (goal.metric === 'firstPeakMemory' || goal.metric === 'idleMemory') return (figure / 2 ** 20).toFixed(0);
  return figure.toFixed(2);
}

function count(figure: number): string {
  return Number.isNaN(figure) ? '' : Math.round(figure).toLocaleString('en');
}

function milliseconds(figure: number): string {
  return Number.isNaN(figure) ? '' : figure.toFixed(2);
}
