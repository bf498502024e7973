import type { Clock } from '../core/ports.ts';
import { deny } from '../core/refusal.ts';
import type { ProxyResponse } from './proxy-response.ts';

/**
 * Cuts off a client that takes nothing of what is left of its answer for so long. Node keeps the end of an answer for as long as
 * the client likes, and its connection with it.
 *
 * @param idle milliseconds
 */
export function awaitTaken(response: ProxyResponse, clock: Clock, idle: number): void {
  let left = response.writableLength;
  const look = (): void => {
    const { exchange, writableLength } = response;
    if (writableLength < left) {
      left = writableLength;
      timer = clock.after(idle, look);
      return;
    }
    exchange?.runner.refuse(exchange, deny('REQUEST_TIMEOUT'));
    // What is refused already is not refused again.
    response.destroy();
  };
  let timer = clock.after(idle, look);
  response.once('close', () => timer.cancel());
}
