import { type KeyObject, verify } from 'node:crypto';
import type { Principal } from '../core/principal.ts';
import { deny, fault, type Refusal } from '../core/refusal.ts';
import { isKey } from './key-source.ts';
import { type ParsedToken, parseToken } from './parse-token.ts';
import { type PoolPolicy, readPrincipal } from './read-principal.ts';
import type { UserPools } from './user-pools.ts';

/** A verified token, with the key that verified it. */
export interface VerifiedToken {
  readonly principal: Principal;
  readonly kid: string;
}

export interface VerifyOptions {
  readonly pools: UserPools;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Kinds of token accepted, instead of those that the pool accepts from callers. */
  readonly tokenUse?: ReadonlySet<string>;
}

/**
 * Verifies a token in the order that tells the most while trusting the least: form, issuer, key, signature, and only
 * then the other claims. The issuer is compared exactly, the key is looked up among that issuer's keys only, and the
 * algorithm is a constant.
 *
 * Synchronous when the key is at hand. `crypto.verify` takes half the time of WebCrypto for the same OpenSSL call, and
 * cannot be overtaken by another request.
 */
export function verifyToken(
  token: string,
  options: VerifyOptions,
): VerifiedToken | Refusal | Promise<VerifiedToken | Refusal> {
  const parsed = parseToken(token);
  if ('code' in parsed) return parsed;
  const { iss } = parsed.claims;
  if (typeof iss !== 'string') return deny('AUTHN_CLAIMS_INVALID');
  const pool = options.pools.byIssuer(iss);
  if (pool === undefined) return deny('AUTHN_ISSUER_UNKNOWN');
  const policy =
    options.tokenUse === undefined ? pool.policy : { ...pool.policy, tokenUse: options.tokenUse };
  const key = pool.keys.get(parsed.kid);
  if (key !== undefined) return verifyWith(key, parsed, iss, policy, options.now());
  return pool.keys.find(parsed.kid).then((found) => {
    // A reload while the key was fetched: the settings that hold now decide, and say what may be remembered.
    if (options.pools.byIssuer(iss) !== pool) return verifyToken(token, options);
    return isKey(found) ? verifyWith(found, parsed, iss, policy, options.now()) : found;
  });
}

function verifyWith(
  key: KeyObject,
  parsed: ParsedToken,
  issuer: string,
  policy: PoolPolicy,
  now: number,
): VerifiedToken | Refusal {
  let genuine: boolean;
  try {
    genuine = verify('RSA-SHA256', Buffer.from(parsed.signingInput, 'latin1'), key, parsed.signature);
  } catch (error) {
    return fault('INTERNAL_ERROR', error);
  }
  if (!genuine) return deny('AUTHN_SIGNATURE_INVALID');
  const principal = readPrincipal(parsed.claims, issuer, policy, now / 1000);
  return 'code' in principal ? principal : { principal, kid: parsed.kid };
}
