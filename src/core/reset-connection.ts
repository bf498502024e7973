import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';

/**
 * Breaks a connection off in the middle of an answer that only the end of the connection delimits, as for HTTP/1.0 clients. An
 * orderly end would make half an answer a whole one: TCP is reset, TLS ends without its closing alert (RFC 9112 section 9.8).
 */
export function resetConnection(connection: Duplex): void {
  // Once its own side is ended a socket cannot be reset; node would lose it, open.
  const resettable = connection instanceof Socket && !(connection instanceof TLSSocket);
  if (resettable && !connection.writableEnded) connection.resetAndDestroy();
  else connection.destroy();
}
