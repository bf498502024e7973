import { WebSocket } from 'ws';
import type { Surroundings } from './kinds.ts';
import type { Echo } from './upstream.ts';

const KIND = 'WebSocket message';

/** Messages after which one is closed and another opened. */
const LIFE = 60;

/** Milliseconds between two messages on one. */
const PACE = 500;

const PATIENCE = 15_000;

/** Keeps so many WebSockets open, each a caller's, which send a message now and then and are to have it back. */
export function startWebSockets(count: number, around: Surroundings): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const lives = Array.from({ length: count }, async (_, i) => {
    // Not all at once.
    for (let messages = 1 + Math.round((i * LIFE) / count); !stopping.signal.aborted; messages = LIFE) {
      await live(around, messages, stopping.signal);
    }
  });
  return {
    async stop() {
      stopping.abort();
      await Promise.all(lives);
    },
  };
}

async function live(around: Surroundings, messages: number, signal: AbortSignal): Promise<void> {
  const { port, callers, tally } = around;
  const caller = callers.next();
  const id = `id-${around.number()}`;
  const webSocket = new WebSocket(`ws://127.0.0.1:${port}/live`, {
    headers: { authorization: `Bearer ${caller.token}`, 'x-soak-id': id, 'x-cognito-sub': 'somebody-else' },
  });
  const inbox: string[] = [];
  let wake = (): void => undefined;
  webSocket.on('message', (data) => {
    inbox.push(String(data));
    wake();
  });
  webSocket.on('error', () => wake());
  webSocket.on('close', () => wake());
  const next = async (): Promise<string | null> => {
    if (inbox.length === 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, PATIENCE);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return inbox.shift() ?? null;
  };
  const expectNext = async (text: string): Promise<boolean> => {
    const got = await next();
    if (got === null) tally.lost(KIND, 'closed');
    else if (got === text) tally.right(KIND);
    else tally.wrong(KIND, `${got.slice(0, 300)} instead of ${text}`);
    return got === text;
  };

  const { sub, username, groups } = caller;
  const echo: Echo = { id, sub, username, groups, target: '/live', length: 0, sum: 0 };
  let well = await expectNext(JSON.stringify(echo));
  for (let i = 0; well && i < messages && !signal.aborted; i++) {
    const text = `${id} says ${i}`;
    webSocket.send(text);
    well = await expectNext(text);
    await new Promise((resolve) => setTimeout(resolve, PACE));
  }
  if (well) webSocket.close();
  else webSocket.terminate();
}
