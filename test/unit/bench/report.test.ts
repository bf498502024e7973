import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Case, ContenderName, Goal } from '../../../bench/cases/case.ts';
import { FULL, listCases, QUICK } from '../../../bench/cases/cases.ts';
import type { EntrantResult } from '../../../bench/measure/run-case.ts';
import { drawChart } from '../../../bench/report/chart.ts';
import { describeTaking, refreshPage, replaceResults, writeResults } from '../../../bench/report/page.ts';
import { type CaseResult, keepResult, makeResult, readResults } from '../../../bench/report/results.ts';
import { caseTable, goalTable } from '../../../bench/report/table.ts';

const MACHINE = {
  cpu: 'Some <Processor> & Sons',
  cores: 2,
  memory: 24,
  kernel: '6.1',
  versions: { Node: '24.0.0', HAProxy: '2.6.12' },
};

function entrant(
  label: string,
  contender: ContenderName,
  rates: readonly number[],
  beside: number | null = null,
): EntrantResult {
  return {
    label,
    contender,
    ready: 0.5,
    idleMemory: 100 * 2 ** 20,
    peakMemory: 200 * 2 ** 20,
    rounds: rates.map((rate) => ({
      rate,
      cpu: 1e6 / rate,
      p50: 1,
      p99: 2,
      beside,
      peakMemory: 150 * 2 ** 20,
      disturbed: 0,
    })),
  };
}

function resultOf(changes: Partial<Case> = {}, entrants?: readonly EntrantResult[]): CaseResult {
  const one: Case = {
    letter: 'a',
    name: 'known-tokens',
    title: 'callers',
    load: { kind: 'saturate', request: 'read' },
    entrants: [],
    compares: 'rate',
    reference: 'HAProxy',
    goals: [],
    ...changes,
  };
  const usual = entrants ?? [
    entrant('ours', 'proxy', [24_000, 12_000, 25_000]),
    entrant('HAProxy', 'haproxy', [20_000, 10_000, 20_000]),
  ];
  return makeResult(one, usual, { date: '2026-01-02T03:04:05Z', machine: MACHINE, rounds: 3, seconds: 5 });
}

describe('the table of a case', () => {
  it('has medians, and the ratio of each round', () => {
    expect(caseTable(resultOf())).toBe(
      [
        '|         | requests/s | CPU µs/request | p50 ms | p99 ms | peak MB |      rate / HAProxy |',
        '| ------- | ---------: | -------------: | -----: | -----: | ------: | ------------------: |',
        '| ours    |     24,000 |           41.7 |   1.00 |   2.00 |     200 | 1.20 (1.20 to 1.25) |',
        '| HAProxy |     20,000 |           50.0 |   1.00 |   2.00 |     200 |                     |',
      ].join('\n'),
    );
  });

  it('has a column for what was refused beside the load, where something was', () => {
    const table = caseTable(
      resultOf({}, [entrant('HAProxy', 'haproxy', [10]), entrant('flooded', 'haproxy', [5], 1_234)]),
    );
    expect(table).toContain('| refused/s |');
    expect(table).toMatch(/flooded .* 1,234 /);
  });

  it('leaves out what a stream does not have', () => {
    const streamed = { ...entrant('HAProxy', 'haproxy', []), rounds: [] };
    const round = { rate: 900, cpu: 500, p50: null, p99: null, beside: null, peakMemory: 0, disturbed: 0 };
    const table = caseTable(resultOf({ load: { kind: 'stream' } }, [{ ...streamed, rounds: [round] }]));
    expect(table).toContain('MiB/s | CPU µs/MiB');
    expect(table).not.toContain('NaN');
  });
});

describe('a goal', () => {
  const goal: Goal = {
    what: 'rate against HAProxy',
    metric: 'rate',
    entrant: 'ours',
    against: 'HAProxy',
    direction: 'at least',
    bar: 1,
    aim: 1.2,
  };

  it.each([
    [goal, 1.2, 'met, and the aim'],
    [{ ...goal, aim: 1.3 }, 1.2, 'met'],
    [{ ...goal, bar: 1.25 }, 1.2, 'missed'],
    [{ ...goal, direction: 'at most', bar: 1.25 }, 1.2, 'met, and the aim'],
    [{ ...goal, direction: 'at most', bar: 1.1 }, 1.2, 'missed'],
    [{ ...goal, entrant: 'nobody' }, Number.NaN, 'missed'],
  ] as const)('%j is measured as %d and %s', (one, measured, verdict) => {
    const result = resultOf({ goals: [one] });
    expect(result.goals[0]?.measured).toBe(measured);
    expect(goalTable([result]).split('\n').at(-1)).toMatch(new RegExp(` ${verdict} \\|$`));
  });

  it('without a peer is judged by the figure itself', () => {
    const memory: Goal = {
      what: 'memory, MB',
      metric: 'firstPeakMemory',
      entrant: 'ours',
      direction: 'at most',
      bar: 250 * 2 ** 20,
    };
    expect(goalTable([resultOf({ goals: [memory] })])).toMatch(
      /\(a\) memory, MB \| +150 \| at most 250 \| +\| +met \|/,
    );
  });
});

describe('the page', () => {
  const BEGIN = '<!-- results: written by npm run bench -->';
  const END = '<!-- end of results -->';

  it('gets new results between its markers, and keeps the rest', () => {
    const page = `# Title\n\n${BEGIN}\n\nold\n\n${END}\n\nThe rest.\n`;
    const once = replaceResults(page, 'new');
    expect(once).toBe(`# Title\n\n${BEGIN}\n\nnew\n\n${END}\n\nThe rest.\n`);
    expect(replaceResults(once, 'new')).toBe(once);
  });

  it('is refreshed with the chart, if there is one', () => {
    const folder = mkdtempSync(join(tmpdir(), 'bench-page-'));
    const file = join(folder, 'page.md');
    writeFileSync(file, `${BEGIN}\n\n${END}\n`);
    refreshPage(file, [resultOf()], '../chart.svg');
    expect(readFileSync(file, 'utf8')).toContain(
      `${BEGIN}\n\n![Authorised requests per second, by contender](../chart.svg)\n\nSome <Processor>`,
    );
    refreshPage(file, [resultOf()], null);
    expect(readFileSync(file, 'utf8')).toContain(`${BEGIN}\n\nSome <Processor>`);
    rmSync(folder, { recursive: true });
  });

  it.each(['no markers', `${END} ${BEGIN}`, BEGIN])('is refused without a place: %s', (page) => {
    expect(() => replaceResults(page, 'new')).toThrow('the page has no place for results');
  });

  it('says once what all results were taken on', () => {
    const text = writeResults([resultOf(), resultOf({ letter: 'b', name: 'new-tokens' })]);
    expect(text.split('Some <Processor>')).toHaveLength(2);
    expect(text).toContain('### (b) new-tokens: callers');
    expect(text).toContain('Taken 2026-01-02, 3 rounds of 5 s.');
  });

  it('says when the machine was not quiet', () => {
    const result = resultOf();
    const busy = result.entrants.map((one) => ({
      ...one,
      rounds: one.rounds.map((round) => ({ ...round, disturbed: 0.4 })),
    }));
    expect(describeTaking(result)).toBe('Taken 2026-01-02, 3 rounds of 5 s.');
    expect(describeTaking({ ...result, entrants: busy })).toBe(
      'Taken 2026-01-02, 3 rounds of 5 s. Other work took 40 % of the cores meanwhile: take these figures with care.',
    );
  });

  it('tells machines apart', () => {
    const other = { ...resultOf({ letter: 'b' }), machine: { ...MACHINE, cores: 8 } };
    const text = writeResults([resultOf(), other]);
    expect(text).toMatch(/^- a: .* 2 cores/m);
    expect(text).toMatch(/^- b: .* 8 cores/m);
  });
});

describe('the chart', () => {
  it('draws each contender, and names what it draws for those who cannot see it', () => {
    const chart = drawChart([resultOf()]) ?? '';
    expect(chart).toContain('>24,000<');
    expect(chart).toContain('1.20 × HAProxy');
    expect(chart).toContain('Known callers, GET, 1,000 tokens in turn: cognito-auth-proxy 24000, HAProxy');
    expect(chart).toContain('Some &lt;Processor&gt; &amp; Sons');
    expect(chart).not.toMatch(/NaN|undefined|Infinity/);
  });

  it('says by itself when the machine was not quiet', () => {
    const result = resultOf();
    const rounds = [{ rate: 10, cpu: 1, p50: 1, p99: 2, beside: null, peakMemory: 0, disturbed: 0.4 }];
    const busy = { ...result, entrants: result.entrants.map((one) => ({ ...one, rounds })) };
    expect(drawChart([result])).not.toContain('Other work');
    expect(drawChart([busy])).toContain('Other work took 40 % of the cores.');
  });

  it('is not drawn of nothing', () => {
    expect(drawChart([resultOf({ name: 'routes' })])).toBeNull();
  });
});

it('keeps results and reads them back, in the order asked for', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bench-results-'));
  const [one, two] = [resultOf(), resultOf({ letter: 'b', name: 'new-tokens' })];
  keepResult(folder, two);
  keepResult(folder, one);
  expect(readResults(folder, ['known-tokens', 'new-tokens', 'not-taken'])).toEqual([one, two]);
  rmSync(folder, { recursive: true });
});

describe.each([
  ['full', FULL],
  ['quick', QUICK],
])('the %s cases', (_, scale) => {
  const cases = listCases(scale).filter((one): one is Case => !('missing' in one));

  it('have names of their own', () => {
    const names = listCases(scale).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it.each(cases.map((one) => [one.name, one] as const))(
    '%s compares entrants that take part',
    (_name, one) => {
      const labels = one.entrants.map(({ label }) => label);
      expect(new Set(labels).size).toBe(labels.length);
      expect(labels).toContain(one.reference);
      for (const goal of one.goals) {
        expect(labels).toContain(goal.entrant);
        if (goal.against !== undefined) expect(labels).toContain(goal.against);
      }
      if (one.load.kind === 'paced') expect(labels).toContain(one.load.of);
    },
  );
});
