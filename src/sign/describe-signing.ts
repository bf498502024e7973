import { type Claims, claimOf, type Principal } from '../core/principal.ts';
import { deny, type Refusal } from '../core/refusal.ts';
import type { SigningPlan } from '../core/signing.ts';
import { chooseRole, type Matches } from './choose-role.ts';

/** How a request would be signed, found out without calling anyone. */
export interface SigningDescription {
  readonly service: string;
  readonly region: string;
  readonly payload: SigningPlan['payload'];
  /** Whose credentials, in words. */
  readonly credentials: string;
  /** The key in `Logins` that vouches for the caller; null: none does. */
  readonly provider: string | null;
  /** The role in words: its ARN, or who chooses it. */
  readonly role: string;
}

/**
 * @param caller null: none, or a guest
 * @param idToken claims of the caller's ID token; null where there is none to look at
 * @returns the description, or why the request would be refused
 */
export function describeSigning(
  plan: SigningPlan,
  caller: Principal | null,
  idToken: Claims | null,
  matches: Matches,
): SigningDescription | Refusal {
  const { source } = plan;
  if (source.kind === 'identityPool') {
    if (caller === null && !source.guest) return deny('SIGN_GUEST_REFUSED');
    if (caller !== null && caller.pool !== source.userPool) return deny('SIGN_USER_POOL_MISMATCH');
    if (caller !== null && source.needsIdToken && idToken === null) return deny('SIGN_ID_TOKEN_REQUIRED');
  }
  const role = chooseRole(plan, caller, idToken, matches);
  if ('code' in role) return role;
  const { service, region, payload } = plan;
  const scope = { service, region, payload };
  if (source.kind === 'own') {
    return {
      ...scope,
      credentials: "the proxy's own",
      provider: null,
      role: role.roleArn ?? 'none assumed',
    };
  }
  const flow = `${source.flow} flow of identity pool ${source.name}`;
  if (caller === null) {
    return {
      ...scope,
      credentials: `a guest's, by identity pool ${source.name}`,
      provider: null,
      role: "the identity pool's choice for guests",
    };
  }
  const { developer } = source;
  const named =
    developer === null ? null : `${developer.provider} as ${String(claimOf(caller, developer.claim))}`;
  return {
    ...scope,
    credentials: `the caller's, by the ${flow}`,
    provider: named ?? source.provider,
    role:
      role.roleArn ??
      (role.preferred === null
        ? "the identity pool's choice"
        : `the identity pool's choice: ${role.preferred} if it takes roles from the token`),
  };
}
