import { type Exchange, inboundOf, type Stage, type Verdict } from '../core/exchange.ts';
import { headerValue } from '../core/headers.ts';
import type { CorsPolicy, Route } from '../core/route.ts';
import type { Rule } from '../core/rule.ts';
import { corsHeaders, preflightHeaders, preflightMethod } from './cors.ts';
import type { Router } from './find-route.ts';
import { listsMethod, type RouteSet, routeForMethod } from './route-index.ts';

const PUBLIC: Rule = { kind: 'public' };

/**
 * The stage that finds the route, and answers CORS preflights where the configuration has the proxy answer them.
 *
 * @param cors the policy for refusals before a route is known
 */
export function createRouteStage(router: Router, cors: CorsPolicy | null): Stage {
  /** A preflight that passes to the upstream is not judged by the rule, nor counted: browsers send no token with it. */
  const unjudged = new Map<Route, Route>();

  /** The route by which a preflight passes unjudged, among those of one template; null: it does not. */
  const passingRoute = (set: RouteSet, asked: string): Route | null => {
    // Who lists OPTIONS has said who may send it.
    if (listsMethod(set, 'OPTIONS')) return null;
    const route = routeForMethod(set, asked);
    if (route?.cors !== 'upstream') return null;
    const known = unjudged.get(route);
    if (known !== undefined) return known;
    const passing: Route = { ...route, rule: PUBLIC, readsParameters: false, rateLimit: null };
    unjudged.set(route, passing);
    return passing;
  };

  const runPreflight = (exchange: Exchange, asked: string): Verdict | 'ordinary' => {
    const inbound = inboundOf(exchange);
    const found = router.find({ ...inbound, method: asked });
    if ('code' in found) return 'ordinary';
    const policy = found.cors;
    if (policy === null) return 'ordinary';
    if (policy === 'upstream') {
      // What is sent is OPTIONS: no reading of the path may lead to where OPTIONS is judged.
      const passed = router.find(
        inbound,
        (set) => passingRoute(set, asked) ?? routeForMethod(set, inbound.method),
      );
      const passing = unjudged.get(found);
      if (passing === undefined || passed !== passing) return 'ordinary';
      exchange.route = passing;
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
      const asked = preflightMethod(inbound);
      if (asked !== undefined) {
        const verdict = runPreflight(exchange, asked);
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
