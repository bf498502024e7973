import { type Exchange, HANDED_OVER, outboundOf, type Stage } from '../core/exchange.ts';
import { Forwarding, type ForwardingOptions } from './forwarding.ts';
import type { FindConnections } from './pools.ts';
import type { Tunnels } from './tunnels.ts';

/** The stage that sends: ordinary requests through pools of connections, upgrades through http-proxy-middleware. */
export function createSendStage(find: FindConnections, tunnels: Tunnels, options: ForwardingOptions): Stage {
  const { admission } = options;

  const dispatch = (exchange: Exchange): typeof HANDED_OVER => {
    // The client may have left while the request waited for its turn.
    if (exchange.settled) return HANDED_OVER;
    const outbound = outboundOf(exchange);
    const connections = find(outbound.upstream.name, outbound.target);
    exchange.attempts += 1;
    const forwarding = new Forwarding(exchange, options);
    exchange.sending = forwarding;
    forwarding.send(connections.pool);
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
