import type { Inbound } from '../core/inbound.ts';
import { deny, type Refusal } from '../core/refusal.ts';
import type { Route } from '../core/route.ts';
import { createJudgedReader, createServedReader, type ValuesReader } from './compared-values.ts';
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
  /** What they take for the values that a route's rule compares claims with. */
  readonly servedValues: (route: Route) => ValuesReader;
}

/** Makes the router for all routes of a configuration. */
export function createRouter(routes: readonly Route[]): Router {
  const index = indexRoutes(routes);
  const folded = foldedIndexes(routes, index);
  const templatesFold = folded.length > 1;
  const judgedValues = perRoute(createJudgedReader);

  const match = (request: RoutedRequest): RouteSet | undefined => index.find(request.host, request.path);

  /**
   * Whether an upstream that reads paths less literally could serve this request as one that a stricter rule protects, or
   * as one of somebody else's where the rule compares who asks with the path.
   */
  const escapesRule = (request: RoutedRequest, route: Route, choose: ChooseRoute): boolean => {
    const readings = readingsOf(request.path, request.irregular, route.stripPrefix);
    if (readings === null) return true;
    const decoded = readings.map(decodePath);
    const judged = route.readsParameters ? judgedValues(route)(request.path) : null;
    for (const { index: foldedIndex, foldings, servedValues } of folded) {
      const isSomebodyElses = (path: string, taker: Route): boolean =>
        judged !== null && taker.readsParameters && servedValues(taker)(path) !== judged;
      const paths = new Set<string>();
      for (const path of decoded) for (const fold of foldings) paths.add(foldPath(path, fold));
      for (const path of paths) {
        const found = foldedIndex.find(request.host, path);
        if (found === undefined) {
          // No rule is there, but what is served may be above what this route is for, and somebody else's.
          if (isSomebodyElses(path, route)) return true;
          continue;
        }
        // By its id: a preflight's route is a copy.
        const includesRoute = found.some(({ id }) => id === route.id);
        const escapes = found.some((candidate) => {
          const taker = choose(index.setOf(candidate));
          // A path that allows only other methods is protected from this one.
          if (taker === null) return !includesRoute;
          return isStricter(taker, route) || isSomebodyElses(path, taker);
        });
        if (escapes) return true;
      }
    }
    return false;
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
        if (escapesRule(request, route, chooseAgain)) return deny('REQUEST_PATH_AMBIGUOUS');
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
  const shared: FoldedIndex = {
    index: literal,
    foldings: [],
    servedValues: perRoute((route) => createServedReader(route, parseTemplate(route.template))),
  };
  const indexes = [shared];
  for (const fold of FOLDINGS) {
    if (routes.every((route) => isFolded(route.template, fold))) shared.foldings.push(fold);
    else {
      const index = indexRoutes(routes, (template) => foldTemplate(template, fold));
      const servedValues = perRoute((route) => createServedReader(route, foldTemplate(route.template, fold)));
      indexes.push({ index, foldings: [fold], servedValues });
    }
  }
  return indexes;
}

function isFolded(template: string, fold: Folding): boolean {
  return JSON.stringify(foldTemplate(template, fold)) === JSON.stringify(parseTemplate(template));
}

/** Makes a reader for a route when it is first asked for: few routes have rules that look at the path. */
function perRoute(create: (route: Route) => ValuesReader): (route: Route) => ValuesReader {
  const readers = new Map<Route, ValuesReader>();
  return (route) => {
    const reader = readers.get(route) ?? create(route);
    readers.set(route, reader);
    return reader;
  };
}
