import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';

/** Bytes of one message; a larger one closes the socket with 1009. */
const MAX_MESSAGE_BYTES = 1_048_576;

/** Serves a WebSocket on one path of this server that sends every message back as it came, text or binary. */
export function echoWebSockets(server: Server, path: string): { stop(): void } {
  const webSockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES });

  webSockets.on('connection', (webSocket: WebSocket) => {
    webSocket.on('message', (message, binary) => webSocket.send(message, { binary }));
    // A broken frame or a reset closes the socket by itself; unheard, it would end the process.
    webSocket.on('error', () => undefined);
  });

  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => undefined);
    if (request.url?.split('?', 1)[0] !== path) {
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      webSockets.emit('connection', webSocket, request);
    });
  });

  return {
    stop() {
      for (const webSocket of webSockets.clients) webSocket.terminate();
      webSockets.close();
    },
  };
}
