import type { Dispatcher } from 'undici';
import { type Exchange, HANDED_OVER, outboundOf, routeOf, type Stage } from '../core/exchange.ts';
import { Forwarding, type ForwardingOptions } from './forwarding.ts';
import type { FindConnections } from './pools.ts';
import type { Tunnels } from './tunnels.ts';

/** The stage that sends: ordinary requests through undici's pools, upgrades through http-proxy-middleware. */
export function createSendStage(find: FindConnections, tunnels: Tunnels, options: ForwardingOptions): Stage {
  const { admission } = options;

  const dispatch = (exchange: Exchange): typeof HANDED_OVER => {
    // The client may have left while the request waited for its turn.
    if (exchange.settled) return HANDED_OVER;
    const outbound = outboundOf(exchange);
    const connections = find(outbound.upstream.name, outbound.target);
    exchange.attempts += 1;
    const { responseTimeout, bodyIdleTimeout } = routeOf(exchange);
    const forwarding = new Forwarding(exchange, options);
    exchange.cancel = () => forwarding.cancel();
    const { headers, contentLength } = outbound;
    const request: Dispatcher.DispatchOptions & { servername: string } = {
      method: outbound.method as 'GET',
      path: outbound.path,
      headers: contentLength > 0 ? [...headers, 'content-length', String(contentLength)] : headers,
      body: forwarding.body,
      servername: connections.servername,
      headersTimeout: responseTimeout,
      bodyTimeout: bodyIdleTimeout,
    };
    connections.pool.dispatch(request, forwarding);
    return HANDED_OVER;
  };

  return {
    name: 'send',
    run(exchange) {
      const { upstream, target } = outboundOf(exchange);
      if (exchange.tunnel !== null) return tunnels.open(exchange, find(upstream.name, target));
      const entered = admission.enter(upstream.name, exchange);
      if (entered === undefined) return dispatch(exchange);
      if (!(entered instanceof Promise)) return entered;
      return entered.then((refusal) => refusal ?? dispatch(exchange));
    },
  };
}
