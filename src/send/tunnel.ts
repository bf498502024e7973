import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { createProxyMiddleware, type Plugin, type RequestHandler } from 'http-proxy-middleware';
import { type Exchange, outboundOf } from '../core/exchange.ts';
import type { Balancer, Clock, Logger, Timer } from '../core/ports.ts';
import { fault } from '../core/refusal.ts';
import type { Connections } from './pools.ts';
import { codeOfFailure, isConnectionFailure } from './upstream-faults.ts';

/** Open WebSockets: counted, ended when their tokens expire, and when the service stops. */
export interface Tunnels {
  open(exchange: Exchange, connections: Connections): void;
  readonly size: number;
  /** Ends all of them, telling the clients that the server goes away. */
  closeAll(): void;
}

export interface TunnelsOptions {
  readonly balancer: Balancer;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** RFC 6455 section 7.4.1. */
const GOING_AWAY = 1001;
const POLICY_VIOLATION = 1008;

/** Milliseconds a client has to take the close frame before its socket is cut. */
const CLOSE_GRACE = 1_000;

/** What http-proxy-middleware reads of a request; made of the prepared one, never of the client's. */
interface UpgradeRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly httpVersionMajor: 1;
  readonly socket: Duplex;
  readonly exchange: Exchange;
}

export function createTunnels(options: TunnelsOptions): Tunnels {
  const { balancer, clock, logger } = options;
  const tunnels = new Map<Duplex, (status: number, reason: string) => void>();
  const proxies = new WeakMap<Connections, RequestHandler<IncomingMessage>>();

  const opened = (exchange: Exchange, client: Duplex, upstream: Duplex): void => {
    const expiry = untilExpiry(exchange, clock, () => close(POLICY_VIOLATION, 'token expired'));
    const close = (status: number, reason: string): void => {
      upstream.unpipe(client);
      upstream.destroy();
      if (client.writable) client.end(closeFrame(status, reason));
      clock.after(CLOSE_GRACE, () => client.destroy());
    };
    tunnels.set(client, close);
    client.on('close', () => {
      expiry?.cancel();
      tunnels.delete(client);
      upstream.destroy();
    });
    upstream.on('close', () => client.end());
  };

  /** Hooks into the proxy for one address; the request it hands over is ours, and leads back to its exchange. */
  const plugin: Plugin<IncomingMessage> = (proxy) => {
    proxy.on('proxyReqWs', (request: ClientRequest, incoming) => {
      const { exchange } = incoming as unknown as UpgradeRequest;
      const client = exchange.tunnel?.socket;
      request.on('upgrade', (answer: IncomingMessage, upstream: Duplex) => {
        balancer.succeeded(outboundOf(exchange).target);
        exchange.status = 101;
        exchange.upstreamTime = clock.monotonic() - exchange.startedAt;
        answer.headers['x-request-id'] = exchange.requestId;
        acceptBearerProtocol(exchange, answer);
        if (client !== undefined) opened(exchange, client, upstream);
      });
      request.on('response', (answer: IncomingMessage) => {
        // Not a switch: the upstream's plain answer passes, and the connection ends with it.
        balancer.succeeded(outboundOf(exchange).target);
        exchange.status = answer.statusCode ?? 502;
        exchange.upstreamTime = clock.monotonic() - exchange.startedAt;
        answer.headers['x-request-id'] = exchange.requestId;
      });
    });
    proxy.on('error', (error, incoming) => {
      const { exchange } = incoming as unknown as UpgradeRequest;
      if (exchange.status !== 0 || exchange.settled) {
        logger.debug({ requestId: exchange.requestId, err: error }, 'tunnel ended by an error');
        return;
      }
      if (isConnectionFailure(error)) balancer.failed(outboundOf(exchange).target);
      exchange.runner.refuse(exchange, fault(codeOfFailure(error), error));
    });
  };

  const proxyFor = (origin: string, connections: Connections): RequestHandler<IncomingMessage> => {
    const known = proxies.get(connections);
    if (known !== undefined) return known;
    const proxy = createProxyMiddleware<IncomingMessage>({
      target: origin,
      ejectPlugins: true,
      plugins: [plugin],
      upgradeTimeout: connections.upgradeTimeout,
      ...(connections.agent === false ? {} : { agent: connections.agent }),
    });
    proxies.set(connections, proxy);
    return proxy;
  };

  return {
    open(exchange, connections) {
      const { tunnel } = exchange;
      if (tunnel === null) throw new Error('not an upgrade');
      const outbound = outboundOf(exchange);
      const request: UpgradeRequest = {
        method: outbound.method,
        url: outbound.path,
        headers: upgradeHeaders(outbound.headers),
        httpVersionMajor: 1,
        socket: tunnel.socket,
        exchange,
      };
      proxyFor(outbound.target.origin, connections).upgrade(
        request as unknown as IncomingMessage,
        tunnel.socket as IncomingMessage['socket'],
        tunnel.head,
      );
    },
    get size() {
      return tunnels.size;
    },
    closeAll() {
      for (const close of tunnels.values()) close(GOING_AWAY, 'going away');
    },
  };
}

function untilExpiry(exchange: Exchange, clock: Clock, expire: () => void): Timer | null {
  if (exchange.principal === null) return null;
  return clock.after(exchange.principal.expiresAt * 1000 - clock.now(), expire);
}

/** A header list as the object that node:http takes; repeated fields are joined (RFC 9110 section 5.3). */
function upgradeHeaders(list: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = Object.create(null);
  for (let i = 0; i < list.length; i += 2) {
    const name = list[i] as string;
    const value = list[i + 1] as string;
    const before = headers[name];
    headers[name] = before === undefined ? value : `${before}${name === 'cookie' ? '; ' : ', '}${value}`;
  }
  headers['connection'] = 'Upgrade';
  headers['upgrade'] = 'websocket';
  return headers;
}

/** A browser that offered `bearer` to carry its token gives up unless a subprotocol is chosen. */
function acceptBearerProtocol(exchange: Exchange, answer: IncomingMessage): void {
  if (answer.headers['sec-websocket-protocol'] !== undefined) return;
  const offered = exchange.inbound?.headers ?? [];
  for (let i = 0; i < offered.length; i += 2) {
    if (offered[i] === 'sec-websocket-protocol' && /(^|,)\s*bearer\s*,/.test(offered[i + 1] ?? '')) {
      answer.headers['sec-websocket-protocol'] = 'bearer';
    }
  }
}

/** An unmasked close frame, as servers send them (RFC 6455 section 5.5.1). Clean between frames, and else an end all the same. */
function closeFrame(status: number, reason: string): Buffer {
  const text = Buffer.from(reason);
  const frame = Buffer.alloc(4 + text.length);
  frame[0] = 0x88;
  frame[1] = 2 + text.length;
  frame.writeUInt16BE(status, 2);
  text.copy(frame, 4);
  return frame;
}
