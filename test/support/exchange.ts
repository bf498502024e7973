import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { Exchange } from '../../src/core/exchange.ts';
import type { Inbound } from '../../src/core/inbound.ts';
import type { Route } from '../../src/core/route.ts';
import { inbound } from './inbound.ts';

/** An exchange as it is when a stage runs by itself: canonical, with its route where there is one, without a socket. */
export function exchange(request: Partial<Inbound>, route: Route | null = null): Exchange {
  const message = new IncomingMessage(new Socket());
  const runner = { refuse: () => undefined, retry: () => undefined };
  const made = new Exchange(message, new ServerResponse(message), null, 0, false, runner);
  made.inbound = inbound(request);
  made.route = route;
  return made;
}
