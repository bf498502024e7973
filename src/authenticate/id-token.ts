import type { Exchange, Verdict } from '../core/exchange.ts';
import { inboundOf, routeOf } from '../core/exchange.ts';
import type { Clock } from '../core/ports.ts';
import type { Principal } from '../core/principal.ts';
import { deny, type Refusal } from '../core/refusal.ts';
import type { TokenCache } from './token-cache.ts';
import type { UserPools } from './user-pools.ts';
import { type VerifiedToken, verifyToken } from './verify-token.ts';

/** The header that an ID token comes in beside an access token. */
const ID_TOKEN_HEADER = 'x-id-token';

export interface IdTokenOptions {
  readonly pools: UserPools;
  /** Apart from the callers' tokens: what is good here need not be good as a caller's token. */
  readonly cache: TokenCache;
  readonly clock: Clock;
}

/**
 * Finds the caller's ID token on routes whose upstream is signed for with it: the caller's own token, or one beside it,
 * verified as strictly, that is about the same caller. Without one the request goes on; `sign` says what is missing.
 */
export function createIdTokenReader(
  options: IdTokenOptions,
): (exchange: Exchange, token: string, principal: Principal) => Verdict | Promise<Verdict> {
  const { pools, cache, clock } = options;
  const verifyOptions = { pools, now: () => clock.now(), tokenUse: ID_TOKENS };

  const accept = (exchange: Exchange, raw: string, caller: Principal, found: Principal): Verdict => {
    const mismatch = compareTokens(caller, found);
    if (mismatch !== undefined) return mismatch;
    exchange.idToken = { raw, principal: found };
    return undefined;
  };

  return (exchange, token, principal) => {
    const source = routeOf(exchange).upstream.sign?.source;
    if (source?.kind !== 'identityPool' || !source.needsIdToken) return undefined;
    if (principal.tokenUse === 'id') {
      exchange.idToken = { raw: token, principal };
      return undefined;
    }
    const { headers } = inboundOf(exchange);
    const sent = headers.filter((_, i) => i % 2 === 1 && headers[i - 1] === ID_TOKEN_HEADER);
    const raw = sent[0];
    if (raw === undefined) return undefined;
    if (sent.length > 1) return deny('AUTHN_TOKEN_DUPLICATE');

    const known = cache.get(raw, clock.now());
    if (known !== undefined) return accept(exchange, raw, principal, known);
    const remember = (result: VerifiedToken | Refusal): Verdict => {
      if ('code' in result) return result;
      cache.set(raw, result.principal, result.kid);
      return accept(exchange, raw, principal, result.principal);
    };
    const result = verifyToken(raw, verifyOptions);
    return result instanceof Promise ? result.then(remember) : remember(result);
  };
}

/** What an ID token beside an access token must be. */
export const ID_TOKENS: ReadonlySet<string> = new Set(['id']);

/** Whether two tokens are of one sign-in: of the same subject, issuer and client. */
export function compareTokens(caller: Principal, other: Principal): Refusal | undefined {
  const same =
    caller.subject === other.subject && caller.issuer === other.issuer && caller.clientId === other.clientId;
  return same ? undefined : deny('AUTHN_ID_TOKEN_MISMATCH');
}
