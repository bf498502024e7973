/** Random choices that are the same in every run, so that a case that fails can be found again. */
export interface SeededRandom {
  /** An integer from 0 to below the limit. */
  below(limit: number): number;
  pick<T>(items: readonly T[]): T;
  /** True in so many cases of a hundred. */
  chance(percent: number): boolean;
}

/** The generator mulberry32 by Tommy Ettinger, which is in the public domain. */
export function createSeededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  const below = (limit: number): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
  return {
    below,
    pick: <T>(items: readonly T[]): T => items[below(items.length)] as T,
    chance: (percent) => below(100) < percent,
  };
}
