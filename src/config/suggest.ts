/** `, did you mean "x"?` when one of the candidates is near enough to be what was meant, else nothing. */
export function didYouMean(written: string, candidates: Iterable<string>): string {
  const best = nearest(written, candidates);
  return best === null ? '' : `, did you mean ${JSON.stringify(best)}?`;
}

/** The candidate that takes the fewest slips of the finger to become `written`; null when all are too far. */
export function nearest(written: string, candidates: Iterable<string>): string | null {
  let best: string | null = null;
  let fewest = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const [a, b] = [written.toLowerCase(), candidate.toLowerCase()];
    const slips = isBeginning(a, b) || isBeginning(b, a) ? 1 : distance(a, b);
    if (slips < fewest && slips <= tolerance(candidate)) {
      best = candidate;
      fewest = slips;
    }
  }
  return best;
}

/** Short names allow one slip, long ones three: "id" is not a misspelt "ip". */
function tolerance(candidate: string): number {
  if (candidate.length <= 2) return 0;
  return Math.min(3, Math.max(1, Math.floor(candidate.length / 3)));
}

/** A word cut short, or one with an ending too many: "warning" for "warn". */
function isBeginning(short: string, long: string): boolean {
  return short.length >= 3 && long.startsWith(short);
}

/** Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours each count one. */
function distance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const current = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(at(previous, j) + 1, at(current, j - 1) + 1, at(previous, j - 1) + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) cost = Math.min(cost, at(beforePrevious, j - 2) + 1);
      current.push(cost);
    }
    beforePrevious = previous;
    previous = current;
  }
  return at(previous, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
