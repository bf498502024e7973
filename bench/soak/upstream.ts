import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { crc32 } from 'node:zlib';
import { WebSocketServer } from 'ws';

/** What the upstream says of a request: what it was told of the caller, and what it was sent. */
export interface Echo {
  /** The header that each request carries, of its own. */
  readonly id: string;
  readonly sub: string;
  readonly username: string;
  readonly groups: string;
  readonly target: string;
  /** Bytes of its body, and their CRC-32. */
  readonly length: number;
  readonly sum: number;
}

export interface SoakUpstream {
  readonly origin: string;
  /** Ids of requests that came although they were to be refused. */
  readonly leaked: readonly string[];
  /** Ids of POSTs that came more than once. */
  readonly repeated: readonly string[];
  stop(): void;
}

/** Ids of requests that must be refused begin with this. */
export const REFUSED = 'refused-';

export const LARGE = 200_000;

/** Starts the service behind the proxy. */
export async function startSoakUpstream(): Promise<SoakUpstream> {
  const leaked: string[] = [];
  const repeated: string[] = [];
  const posts = new Set<string>();

  const note = (request: IncomingMessage): void => {
    const id = text(request, 'x-soak-id');
    if (id.startsWith(REFUSED)) leaked.push(id);
    if (request.method !== 'POST') return;
    if (posts.has(id)) repeated.push(id);
    posts.add(id);
  };

  const server = createServer((request, response) => {
    note(request);
    const target = request.url ?? '';
    if (target.startsWith('/items/reset/')) {
      request.socket.resetAndDestroy();
      return;
    }
    let length = 0;
    let sum = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      sum = crc32(chunk, sum);
    });
    request.on('end', () => {
      if (target.startsWith('/items/late/')) setTimeout(() => answer(request, response, length, sum), 500);
      else answer(request, response, length, sum);
    });
  });
  server.keepAliveTimeout = 60_000;

  const webSockets = new WebSocketServer({ server });
  webSockets.on('connection', (webSocket, request) => {
    note(request);
    webSocket.send(JSON.stringify(echoOf(request, 0, 0)));
    webSocket.on('message', (data, isBinary) => webSocket.send(data, { binary: isBinary }));
    webSocket.on('error', () => undefined);
  });

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    leaked,
    repeated,
    stop() {
      for (const client of webSockets.clients) client.terminate();
      server.close();
      server.closeAllConnections();
    },
  };
}

function answer(request: IncomingMessage, response: ServerResponse, length: number, sum: number): void {
  const echo = JSON.stringify(echoOf(request, length, sum));
  const body = echo.padEnd(request.url?.startsWith('/items/large/') === true ? LARGE : 0);
  response.setHeader('content-length', body.length);
  response.end(body);
}

function echoOf(request: IncomingMessage, length: number, sum: number): Echo {
  return {
    id: text(request, 'x-soak-id'),
    sub: text(request, 'x-cognito-sub'),
    username: text(request, 'x-cognito-username'),
    groups: text(request, 'x-cognito-groups'),
    target: request.url ?? '',
    length,
    sum,
  };
}

function text({ headers }: IncomingMessage, name: string): string {
  return String(headers[name] ?? '');
}
