import type { Duplex } from 'node:stream';
import type { Clock, Timer } from '../core/ports.ts';
import { closeFrame } from './close-frame.ts';

/** A client's socket and an upstream's, joined after an upgrade. */
export interface JoinedSockets {
  /** Ends both, telling the client why in a close frame. */
  close(status: number, reason: string): void;
  /**
   * Runs once no byte has moved for so long, in either direction.
   * @param milliseconds null: never
   */
  whenIdle(milliseconds: number | null, run: () => void): Timer | null;
}

/** Milliseconds one side has to go once the other is gone, and a client has to take a close frame. */
const CLOSE_GRACE = 1_000;

/** Sees to it that neither socket outlives the other; the bytes between them are piped by somebody else. */
export function joinSockets(client: Duplex, upstream: Duplex, clock: Clock): JoinedSockets {
  let cut: Timer | null = null;
  const cutSoon = (): void => {
    cut ??= clock.after(CLOSE_GRACE, () => {
      client.destroy();
      upstream.destroy();
    });
  };
  client.on('end', cutSoon);
  upstream.on('end', cutSoon);
  upstream.on('close', () => {
    client.end();
    cutSoon();
  });
  client.on('close', () => {
    cut?.cancel();
    upstream.destroy();
  });

  return {
    close(status, reason) {
      upstream.unpipe(client);
      upstream.destroy();
      if (client.writable) client.end(closeFrame(status, reason));
      cutSoon();
    },
    whenIdle(milliseconds, run) {
      if (milliseconds === null) return null;
      const timer = clock.after(milliseconds, run);
      const moved = (): void => timer.restart();
      // Once they are piped: a first listener would be given what is put back for the pipe to read.
      process.nextTick(() => {
        client.on('data', moved);
        upstream.on('data', moved);
      });
      return timer;
    },
  };
}
