import { once } from 'node:events';
import { createServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { WebSocketServer } from 'ws';

/** What one request told of the connection it came on. */
export interface TlsSight {
  /** The name asked for in the handshake; empty when none was. */
  readonly servername: string;
  readonly protocol: string;
  /** Common name of the client’s certificate; undefined when it has shown none. */
  readonly client: string | undefined;
  readonly host: string | undefined;
  readonly path: string | undefined;
}

/** An upstream behind TLS, for requests and for WebSockets, which are echoed. */
export interface TlsUpstream {
  readonly port: number;
  readonly seen: readonly TlsSight[];
  /** Handshakes made so far, whole or not. */
  readonly connections: number;
  stop(): Promise<void>;
}

export async function startTlsUpstream(options: ServerOptions): Promise<TlsUpstream> {
  const seen: TlsSight[] = [];
  let connections = 0;
  const server = createServer(options, (request, response) => {
    record(request.socket as TLSSocket, request.headers.host, request.url);
    response.end('secret ok');
  });
  const record = (socket: TLSSocket, host: string | undefined, path: string | undefined): void => {
    const { servername } = socket as TLSSocket & { servername?: string | false };
    const { subject } = socket.getPeerCertificate();
    seen.push({
      servername: servername || '',
      protocol: socket.alpnProtocol || '',
      client: subject === undefined ? undefined : String(subject.CN),
      host,
      path,
    });
  };
  const webSockets = new WebSocketServer({ server });
  webSockets.on('connection', (webSocket, request) => {
    record(request.socket as TLSSocket, request.headers.host, request.url);
    webSocket.on('message', (data, isBinary) => webSocket.send(data, { binary: isBinary }));
  });
  server.on('connection', () => {
    connections += 1;
  });
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    port: (server.address() as AddressInfo).port,
    seen,
    get connections() {
      return connections;
    },
    async stop() {
      webSockets.close();
      for (const client of webSockets.clients) client.terminate();
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
