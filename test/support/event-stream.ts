import { type ClientRequest, get, type IncomingMessage } from 'node:http';

/** One listener to server-sent events. */
export interface EventStream {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  /** The data of the next event, from JSON; rejects when the stream has ended. */
  next(): Promise<unknown>;
  /** Resolves when the server has ended the stream. */
  readonly ended: Promise<void>;
  close(): void;
}

export function listen(url: string): Promise<EventStream> {
  return new Promise((resolve, reject) => {
    const request: ClientRequest = get(url, { agent: false }, (response) => {
      const events: unknown[] = [];
      const waiting: { resolve: (event: unknown) => void; reject: (error: Error) => void }[] = [];
      const ended = Promise.withResolvers<void>();
      let rest = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        const blocks = (rest + text).split('\n\n');
        rest = blocks.pop() ?? '';
        for (const block of blocks) {
          const data = /^data: (.*)$/m.exec(block)?.[1];
          if (data === undefined) continue;
          const event: unknown = JSON.parse(data);
          const first = waiting.shift();
          if (first === undefined) events.push(event);
          else first.resolve(event);
        }
      });
      response.on('error', () => undefined);
      response.on('close', () => {
        ended.resolve();
        for (const one of waiting) one.reject(new Error('the stream has ended'));
      });
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        ended: ended.promise,
        next: () =>
          events.length > 0
            ? Promise.resolve(events.shift())
            : new Promise((resolve, reject) => waiting.push({ resolve, reject })),
        close: () => request.destroy(),
      });
    });
    request.on('error', reject);
  });
}
