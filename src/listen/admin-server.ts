import { createServer, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock, Logger } from '../core/ports.ts';
import { ADMIN_CONNECTIONS } from './descriptors.ts';

/** Milliseconds. Probes, scrapes and the page send small requests, and all of them at once. */
const HEADERS_TIMEOUT = 5_000;
const REQUEST_TIMEOUT = 10_000;
const CHECKING_INTERVAL = 1_000;
/** Milliseconds without a byte on a connection, as when an answer is not read. */
const STILL_TIMEOUT = 60_000;
/** Milliseconds between two warnings. */
const WARNING_INTERVAL = 60_000;

export interface AdminServerOptions {
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * The server of the admin port. It takes no more connections than descriptors are kept back for, or whoever reaches it could take them
 * from the public port. Where there are as many, the oldest on which nothing is being answered makes room for the newest: probes
 * get their answer though others fill the port with requests that they do not send to the end.
 */
export function createAdminServer(app: RequestListener, { clock, logger }: AdminServerOptions): Server {
  /** How many requests are being answered on each open connection; the oldest is the first. */
  const connections = new Map<Socket, number>();
  let warnedAt = Number.NEGATIVE_INFINITY;

  const count = (socket: Socket, change: 1 | -1): void => {
    const answers = connections.get(socket);
    if (answers !== undefined) connections.set(socket, answers + change);
  };

  const makeRoom = (): void => {
    // The newest is among them, and the one to go where all others are being answered.
    for (const [socket, answers] of connections) {
      if (answers > 0) continue;
      // At once: the event comes later than further connections may.
      connections.delete(socket);
      socket.destroy();
      break;
    }
    if (clock.monotonic() - warnedAt < WARNING_INTERVAL) return;
    warnedAt = clock.monotonic();
    logger.warn({ connections: ADMIN_CONNECTIONS }, 'the admin port has as many connections as it takes');
  };

  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT,
      requestTimeout: REQUEST_TIMEOUT,
      connectionsCheckingInterval: CHECKING_INTERVAL,
    },
    (request, response) => {
      const { socket } = request;
      count(socket, 1);
      response.on('close', () => count(socket, -1));
      app(request, response);
    },
  );
  server.setTimeout(STILL_TIMEOUT);
  server.on('connection', (socket: Socket) => {
    connections.set(socket, 0);
    socket.on('close', () => connections.delete(socket));
    if (connections.size > ADMIN_CONNECTIONS) makeRoom();
  });
  return server;
}
