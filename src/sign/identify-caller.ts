import { hash } from 'node:crypto';
import { type Exchange, inboundOf, routeOf } from '../core/exchange.ts';
import { claimOf, type Principal } from '../core/principal.ts';
import { deny, type Refusal } from '../core/refusal.ts';
import type { IdentityPoolPlan, SigningPlan } from '../core/signing.ts';
import { chooseRole, type Matches } from './choose-role.ts';
import type { CredentialRequest } from './credentials.ts';
import { type HeaderLogins, NO_LOGINS, readHeaderLogins } from './header-logins.ts';
import { GUEST } from './identity-ids.ts';

/** The session name of what no caller stands behind. */
const OWN_SESSION = 'cognito-auth-proxy';

/** Says whose credentials a request is to be signed with, without calling anyone. */
export type IdentifyCaller = (exchange: Exchange, plan: SigningPlan) => CredentialRequest | Refusal;

/** What is the same for every request of one caller with one token. */
type Caller = Pick<CredentialRequest, 'key' | 'caller' | 'roleArn' | 'developerUser' | 'sessionName'>;

/** A caller as found, and what for. */
interface Found {
  readonly plan: SigningPlan;
  readonly idToken: Principal | null;
  readonly caller: Caller;
}

/**
 * Remembers each caller with the principal, which is one for all requests with its token: neither the choice of the role nor the key
 * depends on anything else of a request, unless it carries other providers' tokens.
 */
export function createIdentification(matches: Matches): IdentifyCaller {
  const remembered = new WeakMap<Principal, Found>();

  const identifyUser = (
    exchange: Exchange,
    plan: SigningPlan,
    pool: IdentityPoolPlan,
  ): CredentialRequest | Refusal => {
    const { principal, idToken } = exchange;
    const others = readHeaderLogins(inboundOf(exchange).headers, pool);
    if ('code' in others) return others;

    if (principal === null && others.tokens.length === 0) {
      // On a public route nobody looked whether there is a token: only a route that did may take its caller for a guest.
      const admitted = pool.guest && routeOf(exchange).rule.kind === 'optional';
      return admitted ? GUEST_REQUEST : deny('SIGN_GUEST_REFUSED');
    }
    if (principal !== null && principal.pool !== pool.userPool) return deny('SIGN_USER_POOL_MISMATCH');
    if (principal !== null && pool.needsIdToken && idToken === null) return deny('SIGN_ID_TOKEN_REQUIRED');

    const caller =
      principal !== null && others === NO_LOGINS
        ? recall(principal, idToken?.principal ?? null, plan, pool)
        : findCaller(principal, idToken?.principal ?? null, plan, pool, others, matches);
    if ('code' in caller) return caller;
    const logins: Record<string, string> = {};
    for (const { provider, token } of others.tokens) logins[provider] = token;
    // A token of the service itself stands alone: it already says which identity it is, logins and all.
    if (pool.needsIdToken && idToken !== null && others.identityId === null)
      logins[pool.provider] = idToken.raw;
    return { ...caller, logins, identityId: others.identityId, notAfter: others.notAfter };
  };

  const recall = (
    principal: Principal,
    idToken: Principal | null,
    plan: SigningPlan,
    pool: IdentityPoolPlan,
  ): Caller | Refusal => {
    const known = remembered.get(principal);
    if (known !== undefined && known.plan === plan && known.idToken === idToken) return known.caller;
    const caller = findCaller(principal, idToken, plan, pool, NO_LOGINS, matches);
    if (!('code' in caller)) remembered.set(principal, { plan, idToken, caller });
    return caller;
  };

  return (exchange, plan) =>
    plan.source.kind === 'identityPool'
      ? identifyUser(exchange, plan, plan.source)
      : identifyProxy(exchange, plan, matches);
}

function identifyProxy(exchange: Exchange, plan: SigningPlan, matches: Matches): CredentialRequest | Refusal {
  const role = chooseRole(plan, exchange.principal, null, matches);
  if ('code' in role) return role;
  return {
    key: role.roleArn ?? '',
    caller: '',
    roleArn: role.roleArn,
    logins: {},
    developerUser: null,
    identityId: null,
    sessionName: OWN_SESSION,
    notAfter: null,
  };
}

function findCaller(
  principal: Principal | null,
  idToken: Principal | null,
  plan: SigningPlan,
  pool: IdentityPoolPlan,
  others: HeaderLogins,
  matches: Matches,
): Caller | Refusal {
  const role = chooseRole(plan, principal, idToken?.claims ?? null, matches);
  if ('code' in role) return role;
  const developerUser =
    pool.developer === null || principal === null ? null : claimOf(principal, pool.developer.claim);
  if (pool.developer !== null && principal !== null && typeof developerUser !== 'string') {
    return deny('SIGN_CREDENTIALS_DENIED', { condition: `the claim ${pool.developer.claim} is a text` });
  }
  // As JSON, since a separator of ours could be part of a subject.
  const caller = JSON.stringify([
    principal?.issuer ?? '',
    principal?.subject ?? '',
    developerUser ?? '',
    ...others.tokens.map(({ provider, token }) => [provider, hash('sha256', token, 'base64')]),
  ]);
  return {
    key: `${caller} ${role.roleArn ?? ''} ${role.preferred ?? ''}`,
    caller,
    roleArn: role.roleArn,
    developerUser: typeof developerUser === 'string' ? developerUser : null,
    sessionName: sessionName(principal?.subject ?? ''),
  };
}

const GUEST_REQUEST: CredentialRequest = {
  key: GUEST,
  caller: GUEST,
  roleArn: null,
  logins: {},
  developerUser: null,
  identityId: null,
  sessionName: GUEST,
  notAfter: null,
};

/** The subject as STS takes it: unlike a user name it is unique, and nobody can choose it. */
function sessionName(subject: string): string {
  const name = subject.replace(/[^\w+=,.@-]/g, '-').slice(0, 64);
  return name.length < 2 ? OWN_SESSION : name;
}
