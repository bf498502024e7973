import {
  type Exchange,
  HANDED_OVER,
  inboundOf,
  routeOf,
  type Stage,
  type Verdict,
} from '../core/exchange.ts';
import { headerValue } from '../core/headers.ts';
import type { Inbound } from '../core/inbound.ts';
import type { Clock } from '../core/ports.ts';
import type { Principal } from '../core/principal.ts';
import { deny, type Refusal } from '../core/refusal.ts';
import type { CorsPolicy, Route } from '../core/route.ts';
import type { FindToken, FoundToken } from './find-token.ts';
import type { TokenCache } from './token-cache.ts';
import { createTurns } from './turns.ts';
import type { UserPools } from './user-pools.ts';
import { type VerifiedToken, verifyToken } from './verify-token.ts';

/** Together they take about as long as a dozen requests whose tokens are known. */
const SIGNATURES_PER_TURN = 8;

export interface AuthenticateOptions {
  readonly findToken: FindToken;
  readonly pools: UserPools;
  readonly cache: TokenCache;
  /** Finds the ID token of a caller who is known, where signing needs it. */
  readonly readIdToken: (
    exchange: Exchange,
    token: string,
    principal: Principal,
  ) => Verdict | Promise<Verdict>;
  readonly clock: Clock;
  /** Told of every look-up in the token cache. */
  readonly observer: { tokenCacheUsed(result: 'hit' | 'miss'): void };
}

/**
 * The stage that finds out who the caller is. On public routes no token is looked at; on optional ones a caller without
 * one is a guest, but a bad token is refused all the same. On a route that is not enforced, whoever would be refused goes
 * on as nobody.
 */
export function createAuthenticateStage(options: AuthenticateOptions): Stage {
  const { cache, clock, observer } = options;
  const verifyOptions = { pools: options.pools, now: () => clock.now() };

  const turns = createTurns(SIGNATURES_PER_TURN);

  /** Tokens that wait for a key, by the whole token, so that many first sightings verify once. */
  const underWay = new Map<string, Promise<VerifiedToken | Refusal>>();

  const accept = (exchange: Exchange, token: string, principal: Principal): Verdict | Promise<Verdict> => {
    exchange.principal = principal;
    return options.readIdToken(exchange, token, principal);
  };

  const remember = (
    exchange: Exchange,
    token: string,
    result: VerifiedToken | Refusal,
  ): Verdict | Promise<Verdict> => {
    if ('code' in result) return result;
    cache.set(token, result.principal, result.kid);
    return accept(exchange, token, result.principal);
  };

  const identify = (exchange: Exchange, token: string): Verdict | Promise<Verdict> => {
    const cached: Principal | undefined = cache.get(token, clock.now());
    if (cached !== undefined) {
      observer.tokenCacheUsed('hit');
      return accept(exchange, token, cached);
    }
    observer.tokenCacheUsed('miss');
    if (turns.take()) return verify(exchange, token);
    return turns.wait().then(() => {
      // Whoever has left meanwhile is not worth a signature.
      if (exchange.settled) return HANDED_OVER;
      const known = cache.get(token, clock.now());
      return known === undefined ? verify(exchange, token) : accept(exchange, token, known);
    });
  };

  const verify = (exchange: Exchange, token: string): Verdict | Promise<Verdict> => {
    const result =
      (underWay.size === 0 ? undefined : underWay.get(token)) ?? verifyToken(token, verifyOptions);
    if (!(result instanceof Promise)) return remember(exchange, token, result);
    underWay.set(token, result);
    const forget = (): boolean => underWay.delete(token);
    result.then(forget, forget);
    return result.then((verified) => remember(exchange, token, verified));
  };

  const authenticate = (exchange: Exchange, { rule, cors }: Route): Verdict | Promise<Verdict> => {
    const inbound = inboundOf(exchange);
    const found: FoundToken | Refusal | undefined = options.findToken(inbound);
    if (found === undefined) return rule.kind === 'optional' ? undefined : deny('AUTHN_TOKEN_MISSING');
    if ('code' in found) return found;
    if (found.fromCookie && !isSameSite(inbound, cors)) return deny('AUTHN_ORIGIN_MISMATCH');
    return identify(exchange, found.token);
  };

  return {
    name: 'authenticate',
    run(exchange) {
      const route = routeOf(exchange);
      if (route.rule.kind === 'public') return undefined;
      const verdict = authenticate(exchange, route);
      if (route.enforce || verdict === undefined) return verdict;
      if (!(verdict instanceof Promise)) return letThrough(exchange, verdict);
      return verdict.then((late) => (late === undefined ? undefined : letThrough(exchange, late)));
    },
  };
}

/** Notes a refusal that is not enforced. Nobody is known: no header may speak for a caller whose token was not accepted. */
function letThrough(exchange: Exchange, verdict: NonNullable<Verdict>): Verdict {
  if (verdict === HANDED_OVER || verdict.kind === 'reply') return verdict;
  exchange.principal = null;
  exchange.idToken = null;
  exchange.shadow = verdict;
  return undefined;
}

/**
 * Whether a request that a cookie authenticates comes from our own pages or from an allowed origin. Browsers send Origin
 * with unsafe methods and with WebSockets (RFC 6455 section 10.2); what sends neither Origin nor Sec-Fetch-Site is no
 * browser that keeps a cookie safe, and is refused.
 */
function isSameSite(inbound: Inbound, cors: CorsPolicy | null): boolean {
  if (!inbound.upgrade && /^(GET|HEAD|OPTIONS|TRACE)$/.test(inbound.method)) return true;
  const origin = headerValue(inbound.headers, 'origin')?.toLowerCase();
  if (origin === undefined) return headerValue(inbound.headers, 'sec-fetch-site') === 'same-origin';
  const authority = inbound.authority.toLowerCase();
  // TLS may have ended before us, so both schemes are our own.
  if (origin === `https://${authority}` || origin === `http://${authority}`) return true;
  return cors !== null && cors !== 'upstream' && cors.credentials && cors.origins.has(origin);
}
