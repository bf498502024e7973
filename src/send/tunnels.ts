import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { createProxyMiddleware, type Plugin, type RequestHandler } from 'http-proxy-middleware';
import { type Exchange, HANDED_OVER, outboundOf, routeOf, type Verdict } from '../core/exchange.ts';
import type { Balancer, Clock, Logger, Timer } from '../core/ports.ts';
import { deny, fault } from '../core/refusal.ts';
import { resetConnection } from '../core/reset-connection.ts';
import { claimAnswer } from './answer-headers.ts';
import { codeOfFailure, isTargetFailure } from './classify-failure.ts';
import { clientLate } from './client-watch.ts';
import { CloseStatus } from './close-frame.ts';
import { UpstreamFault } from './http/upstream-fault.ts';
import { type JoinedSockets, joinSockets } from './joined-sockets.ts';
import type { Connections } from './pools.ts';
import { acceptBearerProtocol, type UpgradeRequest, upgradeRequest } from './upgrade-request.ts';

/** Open WebSockets: counted, ended when their tokens expire, and when the service stops. */
export interface Tunnels {
  open(exchange: Exchange, connections: Connections): Verdict;
  /** Those that are open, and those about to be. */
  readonly size: number;
  /** Ends all of them, and those still to come, telling the clients that the server goes away. */
  closeAll(): void;
}

export interface TunnelsOptions {
  /** The most at once in this process, and the milliseconds one may be idle; a reload may change both. */
  readonly limits: () => { readonly count: number; readonly idle: number | null };
  readonly balancer: Balancer;
  readonly clock: Clock;
  readonly logger: Logger;
}

export function createTunnels(options: TunnelsOptions): Tunnels {
  const { balancer, clock, limits, logger } = options;
  const tunnels = new Map<Duplex, JoinedSockets>();
  const proxies = new WeakMap<Connections, RequestHandler<IncomingMessage>>();
  let closing = false;
  let size = 0;

  /** The upstream has switched: the two sockets are joined when all listeners have run. */
  const join = (exchange: Exchange, client: Duplex, upstream: Duplex): void => {
    const joined = joinSockets(client, upstream, clock);
    const expiry = untilExpiry(exchange, clock, () => {
      if (routeOf(exchange).enforce) joined.close(CloseStatus.policyViolation, 'token expired');
      else exchange.shadow ??= deny('AUTHN_TOKEN_EXPIRED');
    });
    const idle = joined.whenIdle(limits().idle, () => {
      exchange.refusal ??= deny('LIMIT_WEBSOCKET_IDLE');
      joined.close(CloseStatus.goingAway, 'idle for too long');
    });
    tunnels.set(client, joined);
    client.on('close', () => {
      expiry?.cancel();
      idle?.cancel();
      tunnels.delete(client);
    });
    // After the 101, which is yet to be written.
    if (closing) process.nextTick(goAway, joined);
  };

  const begin = (
    request: ClientRequest,
    exchange: Exchange,
    client: Duplex,
    connections: Connections,
  ): void => {
    if (exchange.settled) {
      request.destroy();
      return;
    }
    const sentAt = clock.monotonic();
    const { responseTimeout, bodyIdleTimeout } = routeOf(exchange);
    const giveUp = (): void => {
      request.destroy(new UpstreamFault('UPSTREAM_TIMEOUT', 'no connection, or no answer, in time'));
    };
    let late = clock.after(connections.connectTimeout, giveUp);
    request.once('socket', (socket) => {
      socket.once(connections.agent === false ? 'connect' : 'secureConnect', () => {
        late.cancel();
        late = clock.after(responseTimeout, giveUp);
      });
    });
    const answered = (answer: IncomingMessage, status: number): void => {
      late.cancel();
      exchange.sending = null;
      exchange.status = status;
      exchange.upstreamTime = clock.monotonic() - sentAt;
      balancer.succeeded(outboundOf(exchange).target);
      claimAnswer(exchange, answer.headers);
    };
    exchange.sending = { cancel: () => request.destroy() };
    request.on('close', () => late.cancel());
    request.on('upgrade', (answer: IncomingMessage, upstream: Duplex) => {
      answered(answer, 101);
      exchange.trace?.switched();
      acceptBearerProtocol(exchange, answer.headers);
      join(exchange, client, upstream);
    });
    request.on('response', (answer: IncomingMessage) => {
      if (answer.statusCode === 101) {
        const cause = new UpstreamFault('UPSTREAM_UPGRADE_REFUSED', '101 without Upgrade');
        exchange.runner.refuse(exchange, fault(cause.code, cause));
        client.end();
        return;
      }
      // Not a switch: the upstream's plain answer passes, and the connection ends with it.
      answered(answer, answer.statusCode ?? 0);
      answer.setTimeout(bodyIdleTimeout, () => {
        // Nothing is read while the client has yet to take what came before.
        if (client.writableNeedDrain) exchange.refusal ??= clientLate();
        answer.destroy(new UpstreamFault('UPSTREAM_TIMEOUT', 'the answer stopped coming'));
      });
      // Before http-proxy-middleware hears of it, which ends the connection in good order.
      const breakOff = (): void => breakAnswer(answer, client);
      request.prependOnceListener('error', breakOff);
      answer.once('error', breakOff);
    });
  };

  const failed = (error: unknown, exchange: Exchange, client: Duplex): void => {
    if (exchange.settled || exchange.status === 101 || client.errored !== null) {
      // The client's own, or the end of a tunnel: no fault of the upstream's answer.
      logger.debug({ requestId: exchange.requestId, err: error }, 'tunnel ended by an error');
      return;
    }
    const refusal = fault(codeOfFailure(error), error);
    if (exchange.status !== 0) {
      // A plain answer that broke off: nothing more can be said.
      exchange.refusal ??= refusal;
      return;
    }
    if (isTargetFailure(error)) balancer.failed(outboundOf(exchange).target);
    exchange.runner.refuse(exchange, refusal);
  };

  /** Hooks into the proxy for one address; the request it hands over is ours, and leads back to its exchange. */
  const plugin =
    (connections: Connections): Plugin<IncomingMessage> =>
    (proxy) => {
      proxy.on('proxyReqWs', (request, incoming) => {
        const { exchange, socket } = incoming as unknown as UpgradeRequest;
        request.path = outboundOf(exchange).path;
        begin(request, exchange, socket, connections);
      });
      proxy.on('error', (error, incoming) => {
        const { exchange, socket } = incoming as unknown as UpgradeRequest;
        failed(error, exchange, socket);
      });
    };

  const proxyFor = (origin: string, connections: Connections): RequestHandler<IncomingMessage> => {
    const known = proxies.get(connections);
    if (known !== undefined) return known;
    const proxy = createProxyMiddleware<IncomingMessage>({
      target: origin,
      ejectPlugins: true,
      plugins: [plugin(connections)],
      ...(connections.agent === false ? {} : { agent: connections.agent }),
    });
    proxies.set(connections, proxy);
    return proxy;
  };

  return {
    open(exchange, connections) {
      const { tunnel } = exchange;
      if (tunnel === null) throw new Error('not an upgrade');
      const { count } = limits();
      if (size >= count) return fault('LIMIT_WEBSOCKETS', new Error(`there are ${count} already`));
      size += 1;
      tunnel.socket.once('close', () => {
        size -= 1;
      });
      exchange.attempts += 1;
      proxyFor(outboundOf(exchange).target.origin, connections).upgrade(
        upgradeRequest(exchange, tunnel.socket) as unknown as IncomingMessage,
        tunnel.socket as IncomingMessage['socket'],
        tunnel.head,
      );
      return HANDED_OVER;
    },
    get size() {
      return size;
    },
    closeAll() {
      closing = true;
      for (const joined of tunnels.values()) goAway(joined);
    },
  };
}

function untilExpiry(exchange: Exchange, clock: Clock, expire: () => void): Timer | null {
  if (exchange.principal === null) return null;
  return clock.after(exchange.principal.expiresAt * 1000 - clock.now(), expire);
}

function goAway(joined: JoinedSockets): void {
  joined.close(CloseStatus.goingAway, 'going away');
}

/** What has come of an answer must not be taken for all of it. */
function breakAnswer({ headers }: IncomingMessage, client: Duplex): void {
  const delimited = headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
  if (delimited) client.destroy();
  else resetConnection(client);
}
