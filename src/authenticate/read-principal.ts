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
  const { exp, nbf, sub } = claims;
  const tokenUse = claims['token_use'];
  if (tokenUse !== 'access' && tokenUse !== 'id') return deny('AUTHN_CLAIMS_INVALID');
  if (!policy.tokenUse.has(tokenUse)) return deny('AUTHN_TOKEN_USE_MISMATCH');

  const clientId = claims[tokenUse === 'access' ? 'client_id' : 'aud'];
  if (typeof clientId !== 'string' || clientId === '') return deny('AUTHN_CLAIMS_INVALID');
  if (policy.clientIds !== null && !policy.clientIds.has(clientId)) return deny('AUTHN_CLIENT_MISMATCH');

  if (typeof exp !== 'number' || !Number.isFinite(exp)) return deny('AUTHN_CLAIMS_INVALID');
  if (nbf !== undefined && (typeof nbf !== 'number' || !Number.isFinite(nbf)))
    return deny('AUTHN_CLAIMS_INVALID');
  if (now >= exp + policy.graceSeconds) return deny('AUTHN_TOKEN_EXPIRED');
  if (nbf !== undefined && now < nbf - policy.graceSeconds) return deny('AUTHN_TOKEN_NOT_YET_VALID');

  if (typeof sub !== 'string' || sub === '') return deny('AUTHN_CLAIMS_INVALID');
  const username = claims['username'] ?? claims['cognito:username'] ?? '';
  const groups = claims['cognito:groups'] ?? [];
  const scope = claims['scope'] ?? '';
  if (typeof username !== 'string' || typeof scope !== 'string' || !isStringList(groups)) {
    return deny('AUTHN_CLAIMS_INVALID');
  }
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

function isStringList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((member) => typeof member === 'string');
}
