import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { keySet, type SigningKey } from './token-factory.ts';

/**
 * What the server does with a request for keys. `held` answers well, but only once released; `drip` sends a byte at a
 * time without end; `huge` sends the beginning of a set without end; `redirect` leads to where the good keys are; `reset` cuts the connection after the request.
 */
export type KeyServerMood =
  | 'good'
  | 'held'
  | 'drip'
  | 'garbage'
  | 'huge'
  | 'redirect'
  | 'error'
  | 'forbidden'
  | 'reset';

/** Publishes key sets as a user pool does, and misbehaves as told. */
export interface KeyServer {
  readonly origin: string;
  /** Requests for keys so far, by the path asked for. */
  readonly paths: readonly string[];
  readonly requests: number;
  /** Bytes of answers handed to the network so far. */
  readonly bytesSent: number;
  /** The issuer of a pool whose keys are here. */
  issuer(userPoolId: string): string;
  /** From now on this pool, or every pool without keys of its own, has exactly these keys. */
  publish(keys: readonly SigningKey[], userPoolId?: string): void;
  /** As {@link publish}, with a document that need not be a key set at all. */
  publishDocument(document: unknown, userPoolId?: string): void;
  behave(mood: KeyServerMood): void;
  /** Answers what is held, and what comes later in the same mood. */
  release(): void;
  /** Resolves when so many requests have come since the start. */
  requested(count: number): Promise<void>;
  /** Nothing listens any more: connections are refused. */
  down(): Promise<void>;
  /** Listens again on the same port. */
  up(): Promise<void>;
  stop(): Promise<void>;
}

const KEY_PATH = /^(\/moved)?\/([^/]+)\/\.well-known\/jwks\.json$/;

/**
 * Starts on a free port of the loopback; every pool has no keys until some are published.
 * @param tls certificate and key to serve https with
 */
export async function startKeyServer(tls?: { cert: string; key: string }): Promise<KeyServer> {
  const documents = new Map<string, unknown>();
  const paths: string[] = [];
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  let mood: KeyServerMood = 'good';
  let gate = Promise.withResolvers<void>();
  let bytesSent = 0;

  const write = (response: ServerResponse, bytes: Buffer | string): boolean => {
    bytesSent += Buffer.byteLength(bytes);
    return response.write(bytes);
  };

  const publishTo = (response: ServerResponse, userPoolId: string): void => {
    const document = documents.get(userPoolId) ?? documents.get('*') ?? keySet();
    const body = JSON.stringify(document);
    bytesSent += Buffer.byteLength(body);
    response.setHeader('content-type', 'application/json');
    response.end(body);
  };

  const answers: Record<KeyServerMood, (response: ServerResponse, userPoolId: string) => void> = {
    good: publishTo,
    held: (response, userPoolId) => void gate.promise.then(() => publishTo(response, userPoolId)),
    garbage: (response) => void response.end('<html>not keys</html>'),
    redirect: (response, userPoolId) => {
      response.writeHead(302, { location: `/moved/${userPoolId}/.well-known/jwks.json` }).end();
    },
    error: (response) => void response.writeHead(500).end('{"message":"InternalErrorException"}'),
    forbidden: (response) => void response.writeHead(403).end('{"message":"Forbidden"}'),
    reset: (response) => void response.socket?.resetAndDestroy(),
    drip(response) {
      const drops = setInterval(() => write(response, ' '), 5);
      response.on('close', () => clearInterval(drops));
    },
    huge(response) {
      const filler = Buffer.alloc(65_536, ' ');
      const pour = (): void => {
        while (!response.destroyed && write(response, filler));
      };
      write(response, '{"keys":[');
      response.on('drain', pour);
      pour();
    },
  };

  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    const [, moved, userPoolId] = KEY_PATH.exec(request.url ?? '') ?? [];
    paths.push(request.url ?? '');
    for (const waiter of waiting) if (paths.length >= waiter.count) waiter.resolve();
    if (userPoolId === undefined) response.writeHead(404).end();
    else answers[moved === undefined ? mood : 'good'](response, decodeURIComponent(userPoolId));
  };
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  const listen = async (port: number): Promise<void> => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  const close = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };

  await listen(0);
  const { port } = server.address() as AddressInfo;
  const origin = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`;

  return {
    origin,
    paths,
    get requests() {
      return paths.length;
    },
    get bytesSent() {
      return bytesSent;
    },
    issuer: (userPoolId) => `${origin}/${userPoolId}`,
    publish: (keys, userPoolId = '*') => void documents.set(userPoolId, keySet(...keys)),
    publishDocument: (document, userPoolId = '*') => void documents.set(userPoolId, document),
    behave(next) {
      mood = next;
      if (next === 'held') gate = Promise.withResolvers<void>();
    },
    release: () => gate.resolve(),
    requested(count) {
      if (paths.length >= count) return Promise.resolve();
      return new Promise((resolve) => void waiting.push({ count, resolve }));
    },
    down: close,
    up: () => listen(port),
    stop: close,
  };
}
