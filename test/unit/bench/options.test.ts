import { expect, it } from 'vitest';
import { parseOptions } from '../../../bench/options.ts';

const defaults = { cases: null, rounds: 5, seconds: 5, quick: false, profile: false, help: false };

it.each([
  [[], {}],
  [['--cases', 'a, flood'], { cases: ['a', 'flood'] }],
  [['--rounds', '7', '--seconds=9'], { rounds: 7, seconds: 9 }],
  [['--quick'], { quick: true, rounds: 2, seconds: 1 }],
  [['--quick', '--rounds', '4'], { quick: true, rounds: 4, seconds: 1 }],
  [['--profile'], { profile: true }],
  [['--help'], { help: true }],
])('reads %j', (args, expected) => {
  expect(parseOptions(args)).toEqual({ ...defaults, ...expected });
});

it.each([
  [['--rounds', '0'], '--rounds: expected a whole number from 1'],
  [['--seconds', '1.5'], '--seconds: expected a whole number from 1'],
  [['--seconds', 'long'], '--seconds: expected a whole number from 1'],
  [['--fast'], "Unknown option '--fast'"],
  [['a'], 'Unexpected argument'],
])('refuses %j', (args, problem) => {
  expect(parseOptions(args)).toEqual({ problem: expect.stringContaining(problem) });
});
