import type { Duplex } from 'node:stream';
import type { Clock } from '../core/ports.ts';

/** Milliseconds for which what a refused client still sends is read and thrown away, so that it reads the answer first. */
const LINGER = 1_000;

/**
 * Closes a connection whose answer is out, whether the client closes its side or not. Closing on bytes that nobody has
 * read resets the connection, and the client may lose the answer with it.
 */
export function endGently(socket: Duplex, clock: Clock): void {
  if (socket.destroyed) return;
  if (!socket.writableEnded) socket.end();
  socket.resume();
  const timer = clock.after(LINGER, () => socket.destroy());
  socket.once('close', () => timer.cancel());
}
