import { describe, expect, it } from 'vitest';
import { finishWrk, parseWrkOutput, type WrkResult } from '../../../bench/load/wrk.ts';
import type { Child } from '../../../bench/processes.ts';

const RESULT: WrkResult = {
  requests: 1_000,
  microseconds: 1_000_000,
  bytes: 400_000,
  refused: 0,
  broken: 0,
  late: 0,
  p50: 100,
  p99: 900,
  cursor: 64,
};

function childThatPrints(output: string, failure: string | null = null): Child {
  return {
    pid: 1,
    ended: Promise.resolve(failure),
    output: () => output,
    complaint: () => 'unable to connect',
    interrupt: () => undefined,
    stop: () => Promise.resolve(),
  };
}

const finish = (changes: Partial<WrkResult>, expected: 'accepted' | 'refused' = 'accepted') =>
  finishWrk(childThatPrints(JSON.stringify({ ...RESULT, ...changes })), expected);

it('finds our line among what wrk prints', () => {
  const output = `Running 1s test @ http://127.0.0.1:1/\n  1 threads\n${JSON.stringify(RESULT)}\n`;
  expect(parseWrkOutput(output)).toEqual(RESULT);
});

it('says what wrk printed when our line is not there', () => {
  expect(() => parseWrkOutput('Running 1s test')).toThrow('wrk printed no result:\nRunning 1s test');
});

describe('a run', () => {
  it('is good when every answer was as expected', async () => {
    await expect(finish({})).resolves.toEqual(RESULT);
    await expect(finish({ refused: 1_000 }, 'refused')).resolves.toHaveProperty('refused', 1_000);
  });

  it.each([
    [{ refused: 1 }, 'accepted', 'of 1000 answers 1 were not accepted'],
    [{ refused: 999 }, 'refused', 'of 1000 answers 1 were not refused'],
    [{ broken: 2 }, 'accepted', '2 connections failed'],
    [{ late: 3 }, 'accepted', '3 answers were late'],
    [{ requests: 0 }, 'accepted', 'wrk got no answer'],
  ] as const)('with %j, all to be %s, fails', async (changes, expected, message) => {
    await expect(finish(changes, expected)).rejects.toThrow(message);
  });

  it('fails with wrk, and says how', async () => {
    const child = childThatPrints('', 'ended with code 1');
    await expect(finishWrk(child, 'accepted')).rejects.toThrow('wrk ended with code 1\nunable to connect');
  });
});
