import { ERRORS, type ErrorCode } from '../../core/errors.ts';

/** Something that is not as it should be. */
export interface Finding {
  /** The same for as long as it is the same trouble. */
  readonly key: string;
  /** `fault`: requests that should have been answered are not. `warning`: they may soon not be, or somebody should know. */
  readonly level: 'fault' | 'warning';
  /** Who and what is the matter, without a full stop. */
  readonly what: string;
  /** Where to look next. */
  readonly look: string;
}

/** Shares below this are no trouble: single failures happen. */
export const TROUBLED_SHARE = 0.05;

export function percent(share: number): string {
  const hundredths = share * 100;
  if (hundredths === 0 || hundredths >= 10) return `${Math.round(hundredths)} %`;
  return hundredths < 0.1 ? '< 0.1 %' : `${hundredths.toFixed(1)} %`;
}

/** The largest of several counts; undefined when there are none. */
export function largest(counts: Iterable<readonly [string, number]>): [string, number] | undefined {
  let found: [string, number] | undefined;
  for (const [key, count] of counts) if (found === undefined || count > found[1]) found = [key, count];
  return found;
}

export function sumOf(counts: Iterable<number>): number {
  let sum = 0;
  for (const count of counts) sum += count;
  return sum;
}

/** What the table of errors tells operators to do about a code. */
export function remedyOf(code: string): string {
  const entry = Object.hasOwn(ERRORS, code) ? ERRORS[code as ErrorCode] : undefined;
  const remedy = entry?.remedy ?? '';
  const operators = /[Oo]perators: (.*)$/.exec(remedy)?.[1] ?? remedy;
  return operators.replace(/\.$/, '');
}

export function statusOf(code: string): number | undefined {
  return Object.hasOwn(ERRORS, code) ? ERRORS[code as ErrorCode].status : undefined;
}

export function numberOfTimes(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}
