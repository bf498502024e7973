import { type ConfigPath, dotted } from './config-path.ts';

/** Where a part of the configuration was written. Lines and columns count from one. */
export type Origin =
  | { readonly file: string; readonly line: number; readonly column: number }
  | { readonly variable: string };

/** One mistake of the operator's, ready to be shown. */
export interface Problem {
  /** Null: it concerns the configuration as a whole. */
  readonly origin: Origin | { readonly file: string } | null;
  /** The dotted path of the key it is about; empty when it is about the file. */
  readonly where: string;
  readonly message: string;
}

/** What a check finds, before it is known where that was written. */
export interface Finding {
  readonly path: ConfigPath;
  readonly message: string;
  /** What to point at: the value (default), the key, or for what is missing the key it is missing from. */
  readonly at?: 'value' | 'key' | 'parent';
}

/** `file:line:column: where: what`, with the variable's name in place of the position for the environment. */
export function formatProblem(problem: Problem): string {
  const parts = [positionOf(problem), problem.where, problem.message];
  return parts.filter((part) => part !== '').join(': ');
}

function positionOf({ origin }: Problem): string {
  if (origin === null) return '';
  if ('variable' in origin) return origin.variable;
  return 'line' in origin ? `${origin.file}:${origin.line}:${origin.column}` : origin.file;
}

/** Each problem once, in the order of the file; what comes from the environment last. */
export function sortProblems(problems: readonly Problem[]): Problem[] {
  const unique = new Map(problems.map((problem) => [formatProblem(problem), problem]));
  return [...unique.values()].sort((a, b) => {
    const [lineA, columnA] = rank(a);
    const [lineB, columnB] = rank(b);
    return lineA === lineB ? columnA - columnB : lineA < lineB ? -1 : 1;
  });
}

function rank({ origin }: Problem): [number, number] {
  if (origin === null) return [0, 0];
  if ('variable' in origin) return [Number.POSITIVE_INFINITY, 0];
  return 'line' in origin ? [origin.line, origin.column] : [0, 0];
}

/** Turns findings into problems by looking up where each path was written. */
export function locateFindings(
  findings: readonly Finding[],
  locate: (path: ConfigPath, at: 'value' | 'key' | 'parent') => Origin | null,
): Problem[] {
  return findings.map((finding) => ({
    origin: locate(finding.path, finding.at ?? 'value'),
    where: dotted(finding.path),
    message: finding.message,
  }));
}
