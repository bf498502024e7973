import { HANDED_OVER, outboundOf, routeOf, type Stage } from '../core/exchange.ts';
import { Forwarding, type ForwardingOptions } from './forwarding.ts';
import type { UpstreamPools } from './pools.ts';
import type { Tunnels } from './tunnel.ts';

/** The stage that sends: ordinary requests through undici's pools, upgrades through http-proxy-middleware. */
export function createSendStage(pools: UpstreamPools, tunnels: Tunnels, options: ForwardingOptions): Stage {
  return {
    name: 'send',
    run(exchange) {
      const outbound = outboundOf(exchange);
      const connections = pools.connections(outbound.upstream.name, outbound.target);
      exchange.attempts += 1;
      if (exchange.tunnel !== null) {
        tunnels.open(exchange, connections);
        return HANDED_OVER;
      }
      const { responseTimeout, bodyIdleTimeout } = routeOf(exchange);
      const forwarding = new Forwarding(exchange, options);
      exchange.cancel = () => forwarding.cancel();
      const { headers, contentLength } = outbound;
      connections.pool.dispatch(
        {
          method: outbound.method as 'GET',
          path: outbound.path,
          headers: contentLength > 0 ? [...headers, 'content-length', String(contentLength)] : headers,
          body: outbound.body,
          headersTimeout: responseTimeout,
          bodyTimeout: bodyIdleTimeout,
        },
        forwarding,
      );
      return HANDED_OVER;
    },
  };
}
