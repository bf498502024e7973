import { expect, it } from 'vitest';
import { shareCores } from '../../../bench/machine.ts';

it.each([
  ['0-1', { contender: 0, spare: [], load: 1 }],
  ['0-3', { contender: 0, spare: [1, 2], load: 3 }],
  ['2,5', { contender: 2, spare: [], load: 5 }],
  ['1,4-6', { contender: 1, spare: [4, 5], load: 6 }],
  ['3', null],
])('shares out the cores %s', (list, expected) => {
  expect(shareCores(`Name:\tnode\nCpus_allowed:\tff\nCpus_allowed_list:\t${list}\n`)).toEqual(expected);
});
