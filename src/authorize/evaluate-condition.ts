import { claimOf, type Principal } from '../core/principal.ts';
import type { PathParameters } from '../core/route.ts';
import type { ClaimOperand, ClaimTest, Condition } from '../core/rule.ts';

/** Whether a condition holds for a caller. Pure; knows nothing of HTTP. */
export function holds(condition: Condition, principal: Principal, parameters: PathParameters): boolean {
  switch (condition.kind) {
    case 'all':
      for (const part of condition.of) if (!holds(part, principal, parameters)) return false;
      return true;
    case 'any':
      for (const part of condition.of) if (holds(part, principal, parameters)) return true;
      return false;
    case 'none':
      for (const part of condition.of) if (holds(part, principal, parameters)) return false;
      return true;
    case 'groups':
      return quantify(condition.quantifier, condition.values, principal.groups);
    case 'scopes':
      return quantify(condition.quantifier, condition.values, principal.scopes);
    case 'userPools':
      return condition.values.includes(principal.pool);
    case 'clientIds':
      return condition.values.includes(principal.clientId);
    case 'tokenUse':
      return condition.values.includes(principal.tokenUse);
    case 'claim':
      return testClaim(condition.test, claimOf(principal, condition.name), parameters);
  }
}

function quantify(
  quantifier: 'anyOf' | 'allOf' | 'noneOf',
  wanted: readonly string[],
  held: readonly string[],
): boolean {
  switch (quantifier) {
    case 'anyOf':
      for (const value of wanted) if (held.includes(value)) return true;
      return false;
    case 'allOf':
      for (const value of wanted) if (!held.includes(value)) return false;
      return true;
    case 'noneOf':
      for (const value of wanted) if (held.includes(value)) return false;
      return true;
  }
}

/**
 * Cognito gives custom attributes and some flags as strings, so a value is compared by its text: `true` in the
 * configuration holds for `true` and for `"true"`. Of a claim that is a list, any member will do. Nothing but
 * `present: false` holds for a claim that is missing.
 */
function testClaim(test: ClaimTest, claim: unknown, parameters: PathParameters): boolean {
  const missing = claim === undefined || claim === null;
  if (test.kind === 'present') return missing !== test.expected;
  if (missing) return false;
  switch (test.kind) {
    case 'equals':
      return test.values.some((operand) => matchesOperand(claim, operand, parameters));
    case 'not':
      return !test.values.some((operand) => matchesOperand(claim, operand, parameters));
    case 'startsWith':
      return membersOf(claim).some((member) => member.startsWith(test.value));
    case 'contains':
      return Array.isArray(claim)
        ? membersOf(claim).includes(test.value)
        : membersOf(claim).some((text) => text.includes(test.value));
  }
}

function matchesOperand(claim: unknown, operand: ClaimOperand, parameters: PathParameters): boolean {
  const expected = 'literal' in operand ? operand.literal : parameters[operand.parameter];
  return expected !== undefined && membersOf(claim).includes(expected);
}

/** The texts a claim is compared by; objects have none. */
function membersOf(claim: unknown): string[] {
  const members: readonly unknown[] = Array.isArray(claim) ? claim : [claim];
  return members.filter((member) => member !== null && typeof member !== 'object').map(String);
}
