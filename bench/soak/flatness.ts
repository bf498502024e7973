/** A look at the proxy from outside and by its own account. */
export interface Look {
  /** Seconds since the traffic began. */
  readonly at: number;
  /** Whether garbage was collected just before, so that the heap has only what is in use. */
  readonly collected: boolean;
  /** MiB that the system has given it. */
  readonly resident: number;
  /** MiB of JavaScript objects in use. */
  readonly heap: number;
  readonly descriptors: number;
  /** Milliseconds that the event loop was late, at the 99th percentile since the last look. */
  readonly delay: number;
}

/**
 * How much more there may be in the last quarter than in the second, at the best moment of each: what rises and falls is compared
 * where it is least, so that only what stays is seen. A machine that is busy with other things makes requests pile up, and with them
 * memory and descriptors; a leak of 20 bytes for each request makes more of it than this, in ten minutes at 2,000 a second. What is
 * not let go at all is looked for at rest besides.
 */
const TOLERANCE = { resident: 1.12, heap: 1.15, descriptors: 2 } as const;

/** What is no growth however small the thing: MiB, and descriptors. */
const SLACK = { resident: 30, heap: 8, descriptors: 200 } as const;

/** The share of the looks that are warm-up. */
const WARM_UP = 0.25;

/** Looks of which a quarter says something. */
const FEWEST_LOOKS = 20;

/** @returns what has grown, in words; nothing when all is flat */
export function findGrowth(looks: readonly Look[]): string[] {
  const part = (from: number, to: number): readonly Look[] =>
    looks.slice(Math.floor(looks.length * from), Math.floor(looks.length * to));
  const early = part(WARM_UP, 0.5);
  const late = part(0.75, 1);
  if (looks.length < FEWEST_LOOKS) return ['too few looks to tell'];
  const grown: string[] = [];
  for (const what of ['resident', 'heap', 'descriptors'] as const) {
    const seen = (some: readonly Look[]): number[] =>
      some.filter((look) => what !== 'heap' || look.collected).map((look) => look[what]);
    const before = Math.min(...seen(early));
    const after = Math.min(...seen(late));
    if (after > Math.max(before * TOLERANCE[what], before + SLACK[what])) {
      grown.push(`${what} grew from ${round(before)} to ${round(after)}`);
    }
  }
  return grown;
}

export function describeLook({ resident, heap, descriptors, delay }: Look): string {
  return `${round(resident)} MiB resident, ${round(heap)} MiB heap, ${descriptors} descriptors, loop ${round(delay)} ms late`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
