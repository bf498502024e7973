import type { ErrorCode } from '../core/errors.ts';
import type { Principal } from '../core/principal.ts';
import { deny, type Refusal } from '../core/refusal.ts';
import type { PathParameters, Route } from '../core/route.ts';
import type { Condition } from '../core/rule.ts';
import { describeCondition } from './describe-condition.ts';
import { holds } from './evaluate-condition.ts';

/**
 * Whether a caller may use a route: undefined when so, else the refusal. Pure, no I/O, nothing remembered between
 * calls: the rules are evaluated for every request.
 *
 * @param principal null for a caller without a token
 */
export function decide(
  route: Route,
  principal: Principal | null,
  parameters: PathParameters,
): Refusal | undefined {
  const { rule } = route;
  switch (rule.kind) {
    case 'public':
    case 'optional':
      return undefined;
    case 'authenticated':
      return principal === null ? deny('AUTHN_TOKEN_MISSING') : undefined;
    case 'conditions': {
      if (principal === null) return deny('AUTHN_TOKEN_MISSING');
      const failed = firstFailing(rule.condition, principal, parameters);
      return failed === undefined ? undefined : refuse(failed, principal);
    }
  }
}

/** The first part that does not hold, looked for inside lists of which all must hold. */
function firstFailing(
  condition: Condition,
  principal: Principal,
  parameters: PathParameters,
): Condition | undefined {
  if (condition.kind !== 'all') return holds(condition, principal, parameters) ? undefined : condition;
  for (const part of condition.of) {
    const failed = firstFailing(part, principal, parameters);
    if (failed !== undefined) return failed;
  }
  return undefined;
}

const CODES: Readonly<Record<Condition['kind'], ErrorCode>> = {
  all: 'AUTHZ_CONDITIONS_NOT_MET',
  any: 'AUTHZ_CONDITIONS_NOT_MET',
  none: 'AUTHZ_CONDITIONS_NOT_MET',
  groups: 'AUTHZ_GROUP_REQUIRED',
  scopes: 'AUTHZ_SCOPE_REQUIRED',
  userPools: 'AUTHZ_USER_POOL_MISMATCH',
  clientIds: 'AUTHZ_CLIENT_MISMATCH',
  tokenUse: 'AUTHZ_TOKEN_USE_MISMATCH',
  claim: 'AUTHZ_CLAIM_REQUIRED',
};

function refuse(failed: Condition, principal: Principal): Refusal {
  const condition = describeCondition(failed);
  // RFC 6750 section 3.1: the scope attribute names what is needed; a scope that must be absent cannot be asked for.
  if (failed.kind === 'scopes' && failed.quantifier !== 'noneOf') {
    const missing = failed.values.filter((scope) => !principal.scopes.includes(scope));
    return deny('AUTHZ_SCOPE_REQUIRED', { scopes: missing, condition });
  }
  return deny(CODES[failed.kind], { condition });
}
