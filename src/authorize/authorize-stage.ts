import { inboundOf, routeOf, type Stage } from '../core/exchange.ts';
import { decide } from './decide.ts';
import { readParameters } from './route-index.ts';

/** The stage that decides whether the caller may use the route. */
export function createAuthorizeStage(): Stage {
  return {
    name: 'authorize',
    run(exchange) {
      const route = routeOf(exchange);
      if (route.readsParameters) exchange.parameters = readParameters(route, inboundOf(exchange).path);
      return decide(route, exchange.principal, exchange.parameters);
    },
  };
}
