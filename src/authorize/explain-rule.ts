import type { Principal } from '../core/principal.ts';
import type { PathParameters } from '../core/route.ts';
import type { Condition } from '../core/rule.ts';
import { describeCondition } from './describe-condition.ts';
import { holds } from './evaluate-condition.ts';

/** One condition of a rule, and whether it holds for a caller. */
export interface ExplainedCondition {
  readonly condition: string;
  readonly holds: boolean;
  /** How deep it stands inside lists of conditions. */
  readonly depth: number;
}

/** Every condition of a rule, one after the other, parts below the list they are in. */
export function explainCondition(
  condition: Condition,
  principal: Principal,
  parameters: PathParameters,
  depth = 0,
): ExplainedCondition[] {
  const held = holds(condition, principal, parameters);
  if (condition.kind !== 'all' && condition.kind !== 'any' && condition.kind !== 'none') {
    return [{ condition: describeCondition(condition), holds: held, depth }];
  }
  const heading = { all: 'all of', any: 'any of', none: 'none of' }[condition.kind];
  return [
    { condition: heading, holds: held, depth },
    ...condition.of.flatMap((part) => explainCondition(part, principal, parameters, depth + 1)),
  ];
}
