/**
 * How many generated cases a differential test runs, and which: always the same ones in `npm test`; more of them, and others, in
 * `npm run fuzz`, which sets `RUNS` (cases for each one that `npm test` runs) and `SEED`.
 */
export interface GeneratedCases {
  readonly numRuns: number;
  readonly seed: number;
  /** Milliseconds that a test of so many may take. */
  readonly timeout: number;
}

export function generatedCases(numRuns: number): GeneratedCases {
  const times = Number(process.env['RUNS'] ?? 1);
  return {
    numRuns: Math.ceil(numRuns * times),
    seed: Number(process.env['SEED'] ?? 1),
    timeout: 120_000 * times,
  };
}
