import { inboundOf, routeOf, type Stage } from '../core/exchange.ts';
import type { Route } from '../core/route.ts';
import { decide } from './decide.ts';
import { createParameterReader, type ParameterReader } from './route-index.ts';

/** The stage that decides whether the caller may use the route. */
export function createAuthorizeStage(): Stage {
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
      return decide(route, exchange.principal, exchange.parameters);
    },
  };
}
