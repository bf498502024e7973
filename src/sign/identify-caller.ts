import { hash } from 'node:crypto';
import { type Exchange, inboundOf, routeOf } from '../core/exchange.ts';
import { claimOf, type Principal } from '../core/principal.ts';
import { deny, type Refusal } from '../core/refusal.ts';
import type { IdentityPoolPlan, SigningPlan } from '../core/signing.ts';
import { chooseRole, type Matches } from './choose-role.ts';
import type { CredentialRequest } from './credentials.ts';
import { GUEST } from './identity-ids.ts';

/** The session name of what no caller stands behind. */
const OWN_SESSION = 'cognito-auth-proxy';

/** Says whose credentials a request is to be signed with, without calling anyone. */
export type IdentifyCaller = (exchange: Exchange, plan: SigningPlan) => CredentialRequest | Refusal;

/** What is the same for every request of one caller with one token. */
type Caller = Pick<CredentialRequest, 'key' | 'caller' | 'roleArn' | 'developerUser' | 'sessionName'>;

/** A caller as found, and what for: forgotten with its principal. */
interface Found {
  readonly plan: SigningPlan;
  readonly idToken: Principal | null;
  readonly caller: Caller;
}

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

interface HeaderLogins {
  readonly tokens: readonly { readonly provider: string; readonly token: string }[];
  /** The identity that a token of the identity pool service names by itself. */
  readonly identityId: string | null;
  readonly notAfter: number | null;
}

const NO_LOGINS: HeaderLogins = { tokens: [], identityId: null, notAfter: null };

/**
 * Other providers' tokens. They are not verified here: Cognito does that, and what it gives is remembered under the
 * whole token. Their expiry is read only to shorten how long.
 */
function readHeaderLogins(headers: readonly string[], pool: IdentityPoolPlan): HeaderLogins | Refusal {
  if (pool.headerLogins.length === 0) return NO_LOGINS;
  const tokens: { readonly provider: string; readonly token: string }[] = [];
  let identityId: string | null = null;
  let notAfter: number | null = null;
  for (const { provider, header } of pool.headerLogins) {
    const values = headers.filter((_, i) => i % 2 === 1 && headers[i - 1] === header);
    if (values.length > 1) return deny('REQUEST_HEADER_DUPLICATE');
    const token = values[0]?.trim() ?? '';
    if (token === '') continue;
    tokens.push({ provider, token });
    const claims = readClaims(token);
    if (typeof claims['exp'] === 'number') {
      notAfter = Math.min(notAfter ?? Number.POSITIVE_INFINITY, claims['exp'] * 1000);
    }
    if (provider === pool.ownProvider) identityId = typeof claims['sub'] === 'string' ? claims['sub'] : '';
  }
  return tokens.length === 0 ? NO_LOGINS : { tokens, identityId, notAfter };
}

/** Claims of a token, unverified; none of what is not a JWT, such as a SAML assertion. */
function readClaims(token: string): Readonly<Record<string, unknown>> {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    return typeof claims === 'object' && claims !== null ? (claims as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** The subject as STS takes it: unlike a user name it is unique, and nobody can choose it. */
function sessionName(subject: string): string {
  const name = subject.replace(/[^\w+=,.@-]/g, '-').slice(0, 64);
  return name.length < 2 ? OWN_SESSION : name;
}
