import type { ServerResponse } from 'node:http';
import type { StatusBoard } from './board.ts';
import type { Html } from './html.ts';
import { headlineOf, levelOf, type PartName, type Parts, renderParts } from './render-parts.ts';
import type { Status } from './status.ts';

/** Sends every new status to whoever listens, as server-sent events (HTML, section 9.2). */
export interface Feed {
  /** Takes a listener on; false when there are as many as may be. */
  add(response: ServerResponse): boolean;
}

/** People who look at one proxy at once; each costs a connection and what is written to it. */
const LISTENERS = 16;

interface Listener {
  readonly response: ServerResponse;
  /** What it has been sent: only what differs from it is sent again. */
  readonly sent: Map<PartName, string>;
}

export function createFeed(board: StatusBoard, fingerprint: () => string): Feed {
  const listeners = new Set<Listener>();
  let stopWatching: (() => void) | null = null;

  const tell = (status: Status): void => {
    const parts = renderParts(status);
    for (const listener of listeners) send(listener, status, parts);
  };

  const send = ({ response, sent }: Listener, status: Status, parts: Parts): void => {
    // Who does not read fast enough gets the newest later on, and nothing is held for them.
    if (response.writableNeedDrain) return;
    const changed: Partial<Record<PartName, string>> = {};
    for (const [name, { text }] of Object.entries(parts) as [PartName, Html][]) {
      if (sent.get(name) === text) continue;
      sent.set(name, text);
      changed[name] = text;
    }
    const event = {
      time: new Date(status.time).toISOString().slice(11, 19),
      level: levelOf(status),
      headline: headlineOf(status),
      fingerprint: fingerprint(),
      parts: changed,
    };
    response.write(`event: status\ndata: ${JSON.stringify(event)}\n\n`);
  };

  return {
    add(response) {
      if (listeners.size >= LISTENERS) return false;
      const listener: Listener = { response, sent: new Map() };
      listeners.add(listener);
      response.on('close', () => {
        listeners.delete(listener);
        if (listeners.size > 0) return;
        stopWatching?.();
        stopWatching = null;
      });
      response.writeHead(200, { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
      response.write('retry: 2000\n\n');
      if (stopWatching === null) stopWatching = board.watch(tell);
      else
        void board.current().then(
          (status) => send(listener, status, renderParts(status)),
          () => undefined,
        );
      return true;
    },
  };
}
