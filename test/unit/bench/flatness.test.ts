import { describe, expect, it } from 'vitest';
import { describeLook, findGrowth, type Look } from '../../../bench/soak/flatness.ts';

const look = (at: number, change: Partial<Look> = {}): Look => ({
  at,
  collected: true,
  resident: 200,
  heap: 50,
  descriptors: 100,
  delay: 12,
  ...change,
});

const looks = (of: (at: number) => Partial<Look>): Look[] =>
  Array.from({ length: 100 }, (_, at) => look(at, of(at)));

describe('what has grown', () => {
  it.each([
    ['nothing', () => ({}), []],
    ['what grows while it warms up', (at: number) => ({ resident: 100 + Math.min(at, 25) * 10 }), []],
    ['what rises and falls', (at: number) => ({ resident: 200 + (at % 10) * 30 }), []],
    [
      'the heap before a collection',
      (at: number) => ({ heap: at % 10 === 0 ? 50 : 50 + at, collected: at % 10 === 0 }),
      [],
    ],
    ['memory', (at: number) => ({ resident: 200 + at }), ['resident grew from 225 to 275']],
    [
      'the heap after collections',
      (at: number) => ({ heap: 50 + at / 5, collected: at % 5 === 0 }),
      ['heap grew from 55 to 65'],
    ],
    ['descriptors', (at: number) => ({ descriptors: 100 + at * 10 }), ['descriptors grew from 350 to 850']],
    ['some descriptors', (at: number) => ({ descriptors: 20 + at }), []],
  ])('is %s', (_what, of, grown) => {
    expect(findGrowth(looks(of))).toEqual(grown);
  });

  it('cannot be told from too few looks', () => {
    expect(findGrowth([look(0), look(1)])).toEqual(['too few looks to tell']);
  });
});

it('a look in words', () => {
  expect(describeLook(look(3, { resident: 200.06 }))).toBe(
    '200.1 MiB resident, 50 MiB heap, 100 descriptors, loop 12 ms late',
  );
});
