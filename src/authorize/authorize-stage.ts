import { type Exchange, inboundOf, routeOf, type Stage, type Verdict } from '../core/exchange.ts';
import type { RateLimit } from '../core/rate-limit.ts';
import type { Route } from '../core/route.ts';
import { decide } from './decide.ts';
import { createParameterReader, type ParameterReader } from './route-index.ts';

/** Counts a request that the rule lets through, and judges whether it is one too many. */
export type LimitRate = (exchange: Exchange, limit: RateLimit) => Verdict | Promise<Verdict>;

/**
 * The stage that decides whether the caller may use the route, and then how often. What the rule refuses is not counted;
 * where it is not enforced, whom it would refuse goes on, and limits hold as for everybody.
 */
export function createAuthorizeStage(limitRate: LimitRate): Stage {
  const readers = new WeakMap<Route, ParameterReader>();

  const readerOf = (route: Route): ParameterReader => {
    const known = readers.get(route);
    if (known !== undefined) return known;
    const reader = createParameterReader(route.template);
    readers.set(route, reader);
    return reader;
  };

  return {
    name: 'authorize',
    run(exchange) {
      const route = routeOf(exchange);
      if (route.readsParameters) exchange.parameters = readerOf(route)(inboundOf(exchange).path);
      const refusal = decide(route, exchange.principal, exchange.parameters);
      if (refusal !== undefined) {
        if (route.enforce) return refusal;
        // What authentication would have refused first is what the client would have got.
        exchange.shadow ??= refusal;
      }
      if (route.rateLimit === null) return undefined;
      return limitRate(exchange, route.rateLimit);
    },
  };
}
