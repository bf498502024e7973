import type { Inbound } from '../core/inbound.ts';
import { deny, type Refusal } from '../core/refusal.ts';
import type { Route } from '../core/route.ts';
import { foldedReadings, foldSegment, isFoldable } from './folded-readings.ts';
import { allowedMethods, indexRoutes, type RouteSet, routeForMethod } from './route-index.ts';
import { isStricter } from './strictness.ts';

/** What the router has to know of a request. */
export type RoutedRequest = Pick<Inbound, 'host' | 'path' | 'irregular' | 'method'>;

export interface Router {
  /** The routes of the template that matches, whatever the method; undefined when none does. */
  match(request: RoutedRequest): RouteSet | undefined;
  /** The one route for this request, or why there is none. */
  find(request: RoutedRequest): Route | Refusal;
}

/** Makes the router for all routes of a configuration. */
export function createRouter(routes: readonly Route[]): Router {
  const index = indexRoutes(routes);
  const folded = indexRoutes(routes, foldSegment);
  const templatesFold = routes.some((route) => isFoldable(route.template.replace(/\{[^}]*\}/g, 'x'), 0));

  const match = (request: RoutedRequest): RouteSet | undefined => index.find(request.host, request.path);

  return {
    match,
    find(request) {
      const set = match(request);
      if (set === undefined) {
        return deny(request.irregular === 0 ? 'ROUTE_NOT_FOUND' : 'REQUEST_PATH_AMBIGUOUS');
      }
      const route = routeForMethod(set, request.method);
      if (route === null) return deny('ROUTE_METHOD_NOT_ALLOWED', { allow: allowedMethods(set) });
      if ((request.irregular & ~route.permit) !== 0) return deny('REQUEST_PATH_AMBIGUOUS');
      if (templatesFold || isFoldable(request.path, request.irregular)) {
        if (escapesStricterRule(request, route, folded)) return deny('REQUEST_PATH_AMBIGUOUS');
      }
      return route;
    },
  };
}

/**
 * Whether an upstream that folds paths (case, trailing slashes and dots, permitted spellings) could serve this request
 * as one that a stricter rule protects.
 */
function escapesStricterRule(
  request: RoutedRequest,
  route: Route,
  folded: ReturnType<typeof indexRoutes>,
): boolean {
  const readings = foldedReadings(request.path, request.irregular);
  if (readings === null) return true;
  for (const reading of readings) {
    const set = folded.find(request.host, reading);
    if (set === undefined || set.routes.includes(route)) continue;
    const other = routeForMethod(set, request.method);
    // A path that allows only other methods is protected from this one.
    if (other === null || isStricter(other, route)) return true;
  }
  return false;
}
