import type { Inbound } from '../core/inbound.ts';
import { deny, type Refusal } from '../core/refusal.ts';
import type { Route } from '../core/route.ts';
import { decodePath, FOLDINGS, type Folding, foldPath, foldTemplate } from './foldings.ts';
import { parseTemplate } from './path-template.ts';
import { readingsOf } from './readings.ts';
import {
  allowedMethods,
  indexRoutes,
  type RouteIndex,
  type RouteSet,
  routeForMethod,
} from './route-index.ts';
import { isStricter } from './strictness.ts';

/** What the router has to know of a request. */
export type RoutedRequest = Pick<Inbound, 'host' | 'path' | 'irregular' | 'method'>;

/** Which of the routes of one template takes a request; null: none. */
export type ChooseRoute = (set: RouteSet) => Route | null;

export interface Router {
  /** The routes of the template that matches, whatever the method; undefined when none does. */
  match(request: RoutedRequest): RouteSet | undefined;
  /**
   * The one route for this request, or why there is none.
   * @param choose what is to be asked instead of the request's method
   */
  find(request: RoutedRequest, choose?: ChooseRoute): Route | Refusal;
}

/** The routes as upstreams tell them apart that fold paths in one of these ways. */
interface FoldedIndex {
  readonly index: RouteIndex;
  readonly foldings: Folding[];
}

/** Makes the router for all routes of a configuration. */
export function createRouter(routes: readonly Route[]): Router {
  const index = indexRoutes(routes);
  const folded = foldedIndexes(routes, index);
  const templatesFold = folded.length > 1;

  const match = (request: RoutedRequest): RouteSet | undefined => index.find(request.host, request.path);

  /**
   * Whether an upstream that reads paths less literally could serve this request as one that a stricter rule protects.
   */
  const escapesStricterRule = (request: RoutedRequest, route: Route, choose: ChooseRoute): boolean => {
    const readings = readingsOf(request.path, request.irregular, route.stripPrefix);
    if (readings === null) return true;
    const decoded = readings.map(decodePath);
    for (const { index: foldedIndex, foldings } of folded) {
      const paths = new Set<string>();
      for (const path of decoded) for (const fold of foldings) paths.add(foldPath(path, fold));
      for (const path of paths) {
        const found = foldedIndex.find(request.host, path);
        if (found !== undefined && holdsStricterRule(found, choose, route)) return true;
      }
    }
    return false;
  };

  /** @param found all sets whose templates fold alike, as one */
  const holdsStricterRule = (found: RouteSet, choose: ChooseRoute, route: Route): boolean => {
    // By its id: a preflight's route is a copy.
    const includesRoute = found.some(({ id }) => id === route.id);
    return found.some((candidate) => {
      const other = choose(index.setOf(candidate));
      // A path that allows only other methods is protected from this one.
      return other === null ? !includesRoute : isStricter(other, route);
    });
  };

  return {
    match,
    find(request, choose) {
      const set = match(request);
      if (set === undefined) {
        return deny(request.irregular === 0 ? 'ROUTE_NOT_FOUND' : 'REQUEST_PATH_AMBIGUOUS');
      }
      const route = choose === undefined ? routeForMethod(set, request.method) : choose(set);
      if (route === null) return deny('ROUTE_METHOD_NOT_ALLOWED', { allow: allowedMethods(set) });
      if ((request.irregular & ~route.permit) !== 0) return deny('REQUEST_PATH_AMBIGUOUS');
      if (templatesFold || isFoldable(request)) {
        const chooseAgain = choose ?? ((other: RouteSet) => routeForMethod(other, request.method));
        if (escapesStricterRule(request, route, chooseAgain)) return deny('REQUEST_PATH_AMBIGUOUS');
      }
      return route;
    },
  };
}

/** Whether any software would read this canonical path differently from its spelling. */
function isFoldable(request: RoutedRequest): boolean {
  return request.irregular !== 0 || /[A-Z%]|\.(?:\/|$)|.\/$/.test(request.path);
}

/**
 * One index for each folding that makes a difference to the templates; the others share the literal one, which is the
 * only one where templates are in lower case and plain ASCII.
 */
function foldedIndexes(routes: readonly Route[], literal: RouteIndex): FoldedIndex[] {
  const shared: FoldedIndex = { index: literal, foldings: [] };
  const indexes = [shared];
  for (const fold of FOLDINGS) {
    if (routes.every((route) => isFolded(route.template, fold))) shared.foldings.push(fold);
    else {
      const index = indexRoutes(routes, (template) => foldTemplate(template, fold));
      indexes.push({ index, foldings: [fold] });
    }
  }
  return indexes;
}

function isFolded(template: string, fold: Folding): boolean {
  return JSON.stringify(foldTemplate(template, fold)) === JSON.stringify(parseTemplate(template));
}
