import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer, Server as HttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Config } from '../config/schema/config.ts';
import type { ErrorCode } from '../core/errors.ts';
import { Exchange } from '../core/exchange.ts';
import type { Clock } from '../core/ports.ts';
import { deny } from '../core/refusal.ts';
import { answerOnSocket, codeOfParseError } from './parse-errors.ts';
import type { Pipeline } from './pipeline.ts';

/** The public port. */
export interface PublicServer {
  /** @returns the port */
  start(): Promise<number>;
  /** Connections are asked to go with their next answer, while new ones are still accepted. */
  windDown(): void;
  /** Accepts no more, and resolves when the last connection is closed. */
  close(): Promise<void>;
  /** Closes connections that wait for nothing. */
  closeIdle(): void;
  /** Serves a renewed certificate to new connections. */
  renewCertificate(tls: NonNullable<Config['server']['tls']>): void;
  /** Cuts what is still open. */
  destroy(): void;
  readonly connections: number;
}

export interface PublicServerOptions {
  readonly config: Config['server'];
  /** Open connections of this process, at most. */
  readonly maxConnections: number;
  /** The pipeline in force: it changes with a reload. */
  readonly pipeline: () => Pipeline;
  readonly clock: Clock;
  /** Told of refusals that never become an exchange. */
  readonly onRefusedConnection: (code: ErrorCode) => void;
}

/** A response that knows its exchange, so that one shared listener serves all. */
class ProxyResponse extends ServerResponse {
  exchange: Exchange | null = null;
}

/** Milliseconds between two looks for clients whose header section is late. */
const CHECKING_INTERVAL = 1_000;

export function createPublicServer(options: PublicServerOptions): PublicServer {
  const { config, clock } = options;
  const { limits, timeouts } = config;
  const sockets = new Set<Duplex>();
  const answering = new WeakMap<Duplex, ProxyResponse>();
  let windingDown = false;

  const accept = (
    request: IncomingMessage,
    response: ProxyResponse,
    tunnel: Exchange['tunnel'],
    expectsContinue: boolean,
  ): void => {
    const pipeline = options.pipeline();
    const exchange = new Exchange(request, response, tunnel, clock.monotonic(), expectsContinue, pipeline);
    response.exchange = exchange;
    if (windingDown) response.shouldKeepAlive = false;
    if (tunnel === null) {
      answering.set(request.socket, response);
      response.on('close', onClose);
    } else {
      tunnel.socket.on('close', () => pipeline.settle(exchange));
    }
    pipeline.accept(exchange);
  };

  /** An upgrade or CONNECT: the parser has let go of the socket, which must be guarded before anything is awaited. */
  const acceptDetached = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    socket.on('error', () => socket.destroy());
    accept(request, new ProxyResponse(request), { socket, head }, false);
  };

  const serverOptions = {
    ServerResponse: ProxyResponse,
    maxHeaderSize: limits.headerBytes + limits.urlBytes,
    // Answered by our own stage, with our own body.
    requireHostHeader: false,
    keepAliveTimeout: timeouts.idle,
    headersTimeout: timeouts.headers,
    // Bodies are timed by progress, not in total.
    requestTimeout: 0,
    connectionsCheckingInterval: CHECKING_INTERVAL,
    noDelay: true,
    // Java's HttpClient sends Upgrade: h2c by default: a plain request, as RFC 9110 section 7.8 allows us to take it.
    shouldUpgradeCallback: (request: IncomingMessage) =>
      request.method === 'GET' && request.headers.upgrade?.toLowerCase() === 'websocket',
  };
  const server: Server<typeof IncomingMessage, typeof ProxyResponse> =
    config.tls === null
      ? createHttpServer(serverOptions)
      : createHttpsServer({ ...serverOptions, cert: config.tls.cert, key: config.tls.key });
  // Node drops headers beyond the count in silence, a second Host or Authorization among them.
  server.maxHeadersCount = 0;

  server.on('request', (request, response) => accept(request, response, null, false));
  server.on('checkContinue', (request, response) => accept(request, response, null, true));
  server.on('checkExpectation', (request, response) => accept(request, response, null, false));
  server.on('upgrade', acceptDetached);
  server.on('connect', acceptDetached);

  server.on('clientError', (error: NodeJS.ErrnoException & { rawPacket?: Buffer }, socket: Duplex) => {
    const code = codeOfParseError(error);
    const response = answering.get(socket);
    if (code === null || !socket.writable) {
      socket.destroy();
    } else if (response?.exchange != null && !response.exchange.settled) {
      // The body of a request under way: it has an answer coming, unless one has begun.
      response.exchange.runner.refuse(response.exchange, deny(code, { cause: error }));
      clock.after(CHECKING_INTERVAL, () => socket.destroy());
    } else {
      options.onRefusedConnection(code);
      answerOnSocket(socket, code);
    }
  });

  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    if (sockets.size <= options.maxConnections) return;
    options.onRefusedConnection('LIMIT_CONNECTIONS');
    if (config.tls === null) answerOnSocket(socket, 'LIMIT_CONNECTIONS');
    else socket.destroy();
  });

  return {
    start: () =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen({ host: config.listen.host, port: config.listen.port, backlog: 1024 }, () => {
          server.removeListener('error', reject);
          resolve((server.address() as AddressInfo).port);
        });
      }),
    windDown() {
      windingDown = true;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
    closeIdle() {
      server.closeIdleConnections();
    },
    renewCertificate(tls) {
      if (server instanceof HttpsServer) server.setSecureContext({ cert: tls.cert, key: tls.key });
    },
    destroy() {
      for (const socket of sockets) socket.destroy();
    },
    get connections() {
      return sockets.size;
    },
  };
}

function onClose(this: ServerResponse): void {
  const { exchange } = this as ProxyResponse;
  if (exchange !== null) (exchange.runner as Pipeline).settle(exchange);
}
