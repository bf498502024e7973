import type { Claims, Principal } from '../core/principal.ts';
import { deny, type Refusal } from '../core/refusal.ts';

/** What a user pool accepts, beyond issuer and signature. */
export interface PoolPolicy {
  readonly name: string;
  /** Null: any client of the pool. */
  readonly clientIds: ReadonlySet<string> | null;
  readonly tokenUse: ReadonlySet<string>;
  readonly graceSeconds: number;
}

/** The last second that is a date in ECMAScript (its specification, section "Time Values and Time Range"). */
const LAST_DATE = 8_640_000_000_000;

/**
 * Checks the claims of a token whose signature has been verified, and makes the principal of them. Access tokens name
 * their client in `client_id`, ID tokens in `aud` (Amazon Cognito developer guide, "Verifying JSON web tokens").
 *
 * @param now seconds since the epoch
 */
export function readPrincipal(
  claims: Claims,
  issuer: string,
  policy: PoolPolicy,
  now: number,
): Principal | Refusal {
  const { exp, nbf, iat, sub, aud, jti, scope = '' } = claims;
  const tokenUse = claims['token_use'];
  if (tokenUse !== 'access' && tokenUse !== 'id') return deny('AUTHN_CLAIMS_INVALID');
  if (!policy.tokenUse.has(tokenUse)) return deny('AUTHN_TOKEN_USE_MISMATCH');

  const clientId = claims[tokenUse === 'access' ? 'client_id' : 'aud'];
  if (typeof clientId !== 'string' || clientId === '') return deny('AUTHN_CLAIMS_INVALID');
  if (policy.clientIds !== null && !policy.clientIds.has(clientId)) return deny('AUTHN_CLIENT_MISMATCH');

  if (!isDate(exp) || !(nbf === undefined || isDate(nbf)) || !(iat === undefined || isDate(iat))) {
    return deny('AUTHN_CLAIMS_INVALID');
  }
  if (now >= exp + policy.graceSeconds) return deny('AUTHN_TOKEN_EXPIRED');
  if (nbf !== undefined && now < nbf - policy.graceSeconds) return deny('AUTHN_TOKEN_NOT_YET_VALID');

  if (typeof sub !== 'string' || sub === '') return deny('AUTHN_CLAIMS_INVALID');
  // RFC 7519 section 4.1 says of what type the registered claims are, used here or not.
  if (typeof scope !== 'string' || !(jti === undefined || typeof jti === 'string')) {
    return deny('AUTHN_CLAIMS_INVALID');
  }
  if (!(aud === undefined || typeof aud === 'string' || isStringList(aud)))
    return deny('AUTHN_CLAIMS_INVALID');

  // Each kind of token has its own name for it. The other kind's name may be free for a trigger to set.
  const own = claims['username'];
  const users = claims['cognito:username'];
  const username = (tokenUse === 'access' ? (own ?? users) : (users ?? own)) ?? '';
  const groups = claims['cognito:groups'] ?? [];
  if (typeof username !== 'string' || !isStringList(groups)) return deny('AUTHN_CLAIMS_INVALID');
  return {
    pool: policy.name,
    issuer,
    subject: sub,
    username,
    clientId,
    tokenUse,
    groups,
    scopes: scope.split(' ').filter((name) => name !== ''),
    expiresAt: exp + policy.graceSeconds,
    claims,
  };
}

/** A NumericDate (RFC 7519 section 2) that is one. */
function isDate(value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) <= LAST_DATE;
}

function isStringList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((member) => typeof member === 'string');
}
