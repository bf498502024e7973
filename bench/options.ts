import { parseArgs } from 'node:util';

/** What the command line asks for. */
export interface Options {
  /** Letters or names of cases; null: all. */
  readonly cases: readonly string[] | null;
  readonly rounds: number;
  /** Seconds of one measurement. */
  readonly seconds: number;
  /** Small enough for a look while working; its figures are not kept. */
  readonly quick: boolean;
  /** Profile this proxy instead of comparing it. */
  readonly profile: boolean;
  readonly help: boolean;
}

export const USAGE = `usage: npm run bench -- [options]

  --cases a,b,...   only these cases, by letter or name
  --rounds N        interleaved rounds (default 5)
  --seconds N       length of one measurement (default 5)
  --quick           2 rounds of 1 second with fewer tokens; results go to bench/results/quick
  --profile         where this proxy spends time and memory in the first of these cases, instead of a comparison
  --help            this text
`;

/**
 * Reads the arguments.
 * @returns the options, or what is wrong with the arguments
 */
export function parseOptions(args: readonly string[]): Options | { readonly problem: string } {
  let values: Readonly<Record<string, string | boolean | undefined>>;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        cases: { type: 'string' },
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        quick: { type: 'boolean' },
        profile: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    }));
  } catch (error) {
    return { problem: (error as Error).message };
  }
  const quick = values['quick'] === true;
  const rounds = readCount(values['rounds'], quick ? 2 : 5);
  const seconds = readCount(values['seconds'], quick ? 1 : 5);
  if (rounds === null) return { problem: '--rounds: expected a whole number from 1' };
  if (seconds === null) return { problem: '--seconds: expected a whole number from 1' };
  const cases = values['cases'];
  return {
    cases: typeof cases === 'string' ? cases.split(',').map((name) => name.trim()) : null,
    rounds,
    seconds,
    quick,
    profile: values['profile'] === true,
    help: values['help'] === true,
  };
}

function readCount(text: string | boolean | undefined, otherwise: number): number | null {
  if (text === undefined) return otherwise;
  return /^[1-9]\d{0,3}$/.test(String(text)) ? Number(text) : null;
}
