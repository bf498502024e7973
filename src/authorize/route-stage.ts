import { type Exchange, inboundOf, type Stage, type Verdict } from '../core/exchange.ts';
import { headerValue } from '../core/headers.ts';
import type { CorsPolicy, Route } from '../core/route.ts';
import { corsHeaders, preflightHeaders, preflightMethod } from './cors.ts';
import type { Router } from './find-route.ts';

/**
 * The stage that finds the route, and answers CORS preflights where the configuration has the proxy answer them.
 *
 * @param cors the policy for refusals before a route is known
 */
export function createRouteStage(router: Router, cors: CorsPolicy | null): Stage {
  /** A preflight that passes to the upstream is not judged by the rule, nor counted: browsers send no token with it. */
  const unjudged = new Map<Route, Route>();

  const runPreflight = (exchange: Exchange, method: string): Verdict | 'ordinary' => {
    const inbound = inboundOf(exchange);
    const found = router.find({ ...inbound, method });
    if ('code' in found) return 'ordinary';
    const policy = found.cors;
    if (policy === null) return 'ordinary';
    if (policy === 'upstream') {
      const route = unjudged.get(found) ?? unjudgedRoute(found);
      unjudged.set(found, route);
      exchange.route = route;
      return undefined;
    }
    const origin = headerValue(inbound.headers, 'origin');
    exchange.route = found;
    exchange.answerHeaders.push(...corsHeaders(policy, origin));
    return { kind: 'reply', status: 204, headers: preflightHeaders(policy, origin) };
  };

  return {
    name: 'route',
    run(exchange) {
      const inbound = inboundOf(exchange);
      const method = preflightMethod(inbound);
      if (method !== undefined) {
        const verdict = runPreflight(exchange, method);
        if (verdict !== 'ordinary') return verdict;
      }
      const found = router.find(inbound);
      const refused = 'code' in found;
      const policy = refused ? cors : found.cors;
      if (policy !== null && policy !== 'upstream') {
        exchange.answerHeaders.push(...corsHeaders(policy, headerValue(inbound.headers, 'origin')));
      }
      if (refused) return found;
      exchange.route = found;
      return undefined;
    },
  };
}

function unjudgedRoute(route: Route): Route {
  return { ...route, rule: { kind: 'public' }, readsParameters: false, rateLimit: null };
}
