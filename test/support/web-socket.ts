import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import type { ProxyUnderTest } from './proxy.ts';
import { openRaw, type RawConnection } from './raw-http.ts';

export const UPGRADE_LINES = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

/** Sends an upgrade, and these bytes behind it. */
export async function sendUpgrade(
  proxy: ProxyUnderTest,
  path: string,
  headerLines: readonly string[] = [],
  head = '',
): Promise<RawConnection> {
  const connection = await openRaw(proxy.origin);
  connection.send(
    [`GET ${path} HTTP/1.1`, 'Host: a', ...UPGRADE_LINES, ...headerLines, '', head].join('\r\n'),
  );
  return connection;
}

/** A WebSocket to the proxy, open. */
export async function openWebSocket(
  proxy: ProxyUnderTest,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  protocols: readonly string[] = [],
): Promise<WebSocket> {
  const webSocket = new WebSocket(proxy.origin.replace(/^http/, 'ws') + path, [...protocols], { headers });
  await once(webSocket, 'open');
  return webSocket;
}

/** A real WebSocket server, which echoes; `connected` is the next connection made to it. */
export interface EchoServer {
  readonly origin: string;
  readonly requests: readonly IncomingMessage[];
  connected(): Promise<WebSocket>;
  stop(): Promise<void>;
}

/** @param choose one of the offered subprotocols; none is chosen for false */
export async function startEchoServer(
  choose: (offered: ReadonlySet<string>) => string | false = () => false,
): Promise<EchoServer> {
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    handleProtocols: choose,
    perMessageDeflate: true,
  });
  await once(server, 'listening');
  const requests: IncomingMessage[] = [];
  server.on('connection', (webSocket, request) => {
    requests.push(request);
    webSocket.on('message', (data, isBinary) => webSocket.send(data, { binary: isBinary }));
    webSocket.on('error', () => undefined);
  });
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    connected: async () => (await once(server, 'connection'))[0] as WebSocket,
    async stop() {
      for (const client of server.clients) client.terminate();
      server.close();
      await once(server, 'close');
    },
  };
}
