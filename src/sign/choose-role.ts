import type { Claims, Principal } from '../core/principal.ts';
import { deny, type Refusal } from '../core/refusal.ts';
import type { Condition } from '../core/rule.ts';
import type { SigningPlan } from '../core/signing.ts';

/** Whether a condition holds for a caller: the same judgement that routes are allowed by. */
export type Matches = (condition: Condition, principal: Principal) => boolean;

export interface RoleChoice {
  /** The role to ask for; null: the source chooses. */
  readonly roleArn: string | null;
  /** The role that the source is expected to choose by itself, from the token; null: not known. */
  readonly preferred: string | null;
}

/**
 * The role for a caller: the first rule that matches, else the upstream's role, else what the token prefers, else the
 * source's own choice.
 *
 * With the enhanced flow a role is only asked for where the caller's ID token lists it in `cognito:roles`: Cognito
 * would refuse any other ("Using tokens to assign roles to users", Amazon Cognito developer guide). What the token
 * prefers is left to the identity pool, which takes it where it is set up to choose roles from the token.
 *
 * @param caller null for a guest
 * @param idToken claims of the caller's ID token; null where there is none
 */
export function chooseRole(
  plan: SigningPlan,
  caller: Principal | null,
  idToken: Claims | null,
  matches: Matches,
): RoleChoice | Refusal {
  const { source } = plan;
  const rule = caller === null ? undefined : plan.roles.find(({ when }) => matches(when, caller));
  const named = rule?.roleArn ?? plan.roleArn;
  if (source.kind !== 'identityPool') {
    // Rules that match nobody mean that nobody is meant to have the proxy's own rights.
    return named === null && plan.roles.length > 0
      ? deny('SIGN_ROLE_DENIED')
      : { roleArn: named, preferred: null };
  }
  const preferred = textOf(idToken?.['cognito:preferred_role']);
  if (source.flow === 'basic') return { roleArn: named ?? preferred ?? source.roleArn, preferred };
  if (named !== null && source.needsIdToken && !lists(idToken?.['cognito:roles'], named)) {
    return deny('SIGN_ROLE_DENIED', { condition: `cognito:roles lists ${named}` });
  }
  return { roleArn: named, preferred };
}

function lists(roles: unknown, roleArn: string): boolean {
  return Array.isArray(roles) && roles.includes(roleArn);
}

function textOf(claim: unknown): string | null {
  return typeof claim === 'string' && claim !== '' ? claim : null;
}
