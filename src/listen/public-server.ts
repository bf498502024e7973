import { createServer as createHttpServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createHttpsServer, Server as HttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Config } from '../config/schema/config.ts';
import type { ErrorCode } from '../core/errors.ts';
import { Exchange } from '../core/exchange.ts';
import type { RefusedConnection } from '../core/observer.ts';
import type { Clock } from '../core/ports.ts';
import { deny } from '../core/refusal.ts';
import { awaitTaken } from './await-taken.ts';
import { mayHaveLostBytes } from './declined-upgrade.ts';
import { endGently } from './linger.ts';
import { codeOfParseError, type ParseError } from './parse-errors.ts';
import { plainAddress } from './peer.ts';
import type { Pipeline } from './pipeline.ts';
import { ProxyResponse } from './proxy-response.ts';
import { createSocketAnswer } from './socket-answer.ts';
import { createWaitingRoom } from './waiting-room.ts';

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
  /** Cuts what is still open; resolves when all of it is closed and settled. */
  destroy(): Promise<void>;
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
  readonly onRefusedConnection: (refused: RefusedConnection) => void;
}

/** Milliseconds between two looks for clients whose header section is late. */
const CHECKING_INTERVAL = 1_000;

/** Memory that pipelined requests may take while they wait, over all connections; one that finds no room is cut off. */
const WAITING_BYTES = 67_108_864;

/**
 * Bytes written to a client's socket before it counts as full: more than is read from an upstream at once, so that a client that
 * keeps up is never waited for.
 */
const WRITE_AHEAD = 131_072;

/** Connections beyond the limit that may linger over their answer; further ones are cut, or they would use up what probes need. */
const MOST_TURNED_AWAY = 24;

export function createPublicServer(options: PublicServerOptions): PublicServer {
  const { config, clock } = options;
  const { limits, timeouts } = config;
  const answerOnSocket = createSocketAnswer(clock);
  const waitingRoom = createWaitingRoom(WAITING_BYTES);
  const sockets = new Set<Duplex>();
  /** What HTTP is spoken on: the sockets, or TLS over them. */
  const speaking = new Set<Duplex>();
  /** The response to the last request that came on a connection, until it is over. */
  const latest = new WeakMap<Duplex, ProxyResponse>();
  /** Connections on which nothing more can be read. */
  const broken = new WeakSet<Duplex>();
  let windingDown = false;
  let turnedAway = 0;
  const closeGently = (socket: Duplex): void => endGently(socket, clock);
  const whenUntaken = (response: ProxyResponse): void => awaitTaken(response, clock, timeouts.bodyIdle);

  /** An answer is out, or its connection gone. What is known of a request is not kept for as long as its connection idles. */
  const onClose = function (this: ProxyResponse): void {
    const { socket } = this.req;
    if (latest.get(socket) === this) latest.delete(socket);
    if (this.exchange !== null) (this.exchange.runner as Pipeline).settle(this.exchange);
  };

  /** Asks the client to go with this answer, unless more requests wait behind it, or it has begun. */
  const askToGo = (socket: Duplex): void => {
    const response = latest.get(socket);
    if (response !== undefined && !response.headersSent) response.shouldKeepAlive = false;
  };

  const begin = (
    request: IncomingMessage,
    response: ProxyResponse,
    tunnel: Exchange['tunnel'],
    expectsContinue: boolean,
  ): void => {
    const pipeline = options.pipeline();
    const exchange = new Exchange(request, response, tunnel, clock.monotonic(), expectsContinue, pipeline);
    response.exchange = exchange;
    response.whenUntaken = whenUntaken;
    if (tunnel === null) {
      response.closeEarly = closeGently;
      if (windingDown) askToGo(request.socket);
      response.on('close', onClose);
    } else {
      tunnel.socket.on('close', () => pipeline.settle(exchange));
    }
    pipeline.accept(exchange);
  };

  /**
   * One request at a time on each connection, in order, as RFC 9112 section 9.3.2 asks where not all are safe: a
   * pipelined request waits until those before it are answered, and is never begun once the connection is to be closed.
   */
  const receive = (request: IncomingMessage, response: ProxyResponse, expectsContinue: boolean): void => {
    const { socket } = request;
    // Refused at the limit, or already ended: nobody can be answered.
    if (!socket.writable) return;
    latest.set(socket, response);
    if (mayHaveLostBytes(request)) response.shouldKeepAlive = false;
    if (response.socket !== null) {
      begin(request, response, null, expectsContinue);
      return;
    }
    if (!waitingRoom.enter(request)) {
      socket.destroy();
      return;
    }
    response.whenFirst = () => {
      waitingRoom.leave(request);
      begin(request, response, null, expectsContinue);
    };
  };

  const isAnswering = (socket: Duplex): boolean => latest.get(socket)?.writableFinished === false;

  const refuseNow = (socket: Duplex, code: ErrorCode): void => {
    if (!socket.writable) return;
    const client = addressOf(socket as Socket);
    options.onRefusedConnection({ code, requestId: answerOnSocket(socket, code), client });
  };

  /** Answers for what never becomes an exchange, when its turn has come. */
  const refuse = (socket: Duplex, code: ErrorCode): void => {
    if (isAnswering(socket)) latest.get(socket)?.once('close', () => refuseNow(socket, code));
    else refuseNow(socket, code);
  };

  /** An upgrade or CONNECT: the parser has let go of the socket, which must be guarded before anything is awaited. */
  const receiveDetached = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    socket.on('error', () => socket.destroy());
    socket.on('finish', () => endGently(socket, clock));
    if (!socket.writable) {
      endGently(socket, clock);
    } else if (isAnswering(socket)) {
      refuse(socket, 'REQUEST_METHOD_UNSUPPORTED');
    } else {
      const response = new ProxyResponse(request);
      // Until protocols are switched, a client that ends its side has left.
      socket.once('end', () => {
        if (response.exchange?.status !== 101) socket.destroy();
      });
      begin(request, response, { socket, head }, false);
    }
  };

  const fail = (error: ParseError, socket: Duplex): void => {
    const code = codeOfParseError(error, limits.urlBytes);
    if (code === null) {
      socket.destroy();
      return;
    }
    if (broken.has(socket)) return;
    broken.add(socket);
    const response = latest.get(socket);
    if (response === undefined || response.req.complete || response.writableFinished) {
      refuse(socket, code);
    } else if (response.exchange === null) {
      // The body of a request that waits: its turn is the refusal's.
      response.whenFirst = () => refuseNow(socket, code);
    } else {
      response.exchange.runner.refuse(response.exchange, deny(code, { cause: error }));
    }
  };

  /** Beyond the limit: with an answer, unless that takes a handshake, or too many are being answered so already. */
  const turnAway = (socket: Socket): void => {
    if (config.tls === null && turnedAway < MOST_TURNED_AWAY) {
      turnedAway += 1;
      socket.on('close', () => {
        turnedAway -= 1;
      });
      refuse(socket, 'LIMIT_CONNECTIONS');
      return;
    }
    options.onRefusedConnection({ code: 'LIMIT_CONNECTIONS', requestId: '', client: addressOf(socket) });
    socket.destroy();
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
    highWaterMark: WRITE_AHEAD,
    optimizeEmptyRequests: true,
    // Java's HttpClient sends Upgrade: h2c by default: a plain request, as RFC 9110 section 7.8 allows us to take it.
    // An upgrade of HTTP/1.0 is ignored as well, and one behind a request that has no answer yet.
    shouldUpgradeCallback: (request: IncomingMessage) =>
      request.method === 'GET' &&
      request.httpVersionMinor === 1 &&
      request.headers.upgrade?.toLowerCase() === 'websocket' &&
      !isAnswering(request.socket),
  };
  const server: Server<typeof IncomingMessage, typeof ProxyResponse> =
    config.tls === null
      ? createHttpServer(serverOptions)
      : createHttpsServer({
          ...serverOptions,
          handshakeTimeout: timeouts.headers,
          cert: config.tls.cert,
          key: config.tls.key,
        });
  // Node drops headers beyond the count in silence, a second Host or Authorization among them.
  server.maxHeadersCount = 0;

  server.on('request', (request, response) => receive(request, response, false));
  server.on('checkContinue', (request, response) => receive(request, response, true));
  server.on('checkExpectation', (request, response) => receive(request, response, false));
  server.on('upgrade', receiveDetached);
  server.on('connect', receiveDetached);
  server.on('clientError', fail);

  server.on('connection', (socket: Socket) => {
    if (sockets.size >= options.maxConnections) {
      turnAway(socket);
      return;
    }
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on(config.tls === null ? 'connection' : 'secureConnection', (socket: Socket) => {
    speaking.add(socket);
    socket.on('close', () => speaking.delete(socket));
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
      for (const socket of speaking) askToGo(socket);
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
    async destroy() {
      await Promise.all(
        [...sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve).destroy())),
      );
    },
    get connections() {
      return sockets.size;
    },
  };
}

function addressOf(socket: Socket): string {
  return plainAddress(socket.remoteAddress ?? '');
}
