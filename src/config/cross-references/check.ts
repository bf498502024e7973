import { isMapping, valueAt } from '../config-path.ts';
import type { Draft } from '../draft.ts';
import type { Finding } from '../problem.ts';
import type { Telling } from '../telling.ts';

/** One rule that spans several places of a configuration. */
export type Check = (draft: Draft, context: CheckContext) => Finding[];

export interface CheckContext {
  /** Whether http issuers and the like are acceptable: on a developer's machine only. */
  readonly dev: boolean;
  /** The configuration as written, after substitution, for what the schema does not keep. */
  readonly written: unknown;
  readonly telling: Telling;
}

/** Whether a section is there, but in no shape to look names up in: that is said already. */
export function isUnreadable(section: string, { written }: CheckContext): boolean {
  const value = valueAt(written, [section]);
  return value !== undefined && !isMapping(value);
}
