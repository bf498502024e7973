import type { Socket } from 'node:net';
import type { RecordedRequest } from './recording-upstream.ts';

/** What a scripted answer may do with the connection it is on. */
export interface AnswerContext {
  readonly request: RecordedRequest;
  /** For what has no method here: `end()` half-closes, `destroy()` closes, `resetAndDestroy()` resets, `pause()` stops reading. */
  readonly socket: Socket;
  /** Writes these bytes (strings as latin-1); resolves when the socket takes more. */
  write(bytes: string | Buffer): Promise<void>;
  /** From now on this connection carries no HTTP: all further bytes go to this function. */
  tunnel(onBytes: (bytes: Buffer) => void): void;
}

export interface Answer {
  /** When it runs: as soon as the head is there, or with the body complete. */
  readonly at: 'head' | 'body';
  run(context: AnswerContext): void | Promise<void>;
}

/** Anything else: a function over the connection. */
export function script(run: Answer['run'], at: Answer['at'] = 'body'): Answer {
  return { at, run };
}

/** A plain answer with its length, and keep-alive. */
export function answer(status = 200, body = 'ok', headerLines: readonly string[] = []): Answer {
  const bytes = Buffer.from(body, 'utf8');
  const head = [
    `HTTP/1.1 ${status} Scripted`,
    `Content-Length: ${bytes.length}`,
    ...headerLines,
    '',
    '',
  ].join('\r\n');
  return raw(Buffer.concat([Buffer.from(head, 'latin1'), bytes]));
}

/** Exactly these bytes, and the connection stays open. */
export function raw(bytes: string | Buffer, at: Answer['at'] = 'body'): Answer {
  return script(({ write }) => write(bytes), at);
}

/** A chunked answer, each string a chunk, with trailers when given. */
export function chunked(chunks: readonly string[], trailerLines: readonly string[] = []): Answer {
  const head = 'HTTP/1.1 200 Scripted\r\nTransfer-Encoding: chunked\r\n\r\n';
  const last = ['0', ...trailerLines, '', ''].join('\r\n');
  return raw(head + chunks.map(chunk).join('') + last);
}

/** One chunk on the wire. */
export function chunk(text: string): string {
  return `${Buffer.byteLength(text, 'latin1').toString(16)}\r\n${text}\r\n`;
}

/** Announces more than it sends, then closes. */
export function shortBody(announced: number, body: string): Answer {
  return script(async ({ write, socket }) => {
    await write(`HTTP/1.1 200 Scripted\r\nContent-Length: ${announced}\r\n\r\n${body}`);
    socket.end();
  });
}

/** Sends these bytes, if any, then closes with a FIN. */
export function closeAfter(bytes = '', at: Answer['at'] = 'body'): Answer {
  return script(async ({ write, socket }) => {
    if (bytes !== '') await write(bytes);
    socket.end();
  }, at);
}

/** Closes with an RST. Bytes written just before a reset may be lost, as on a real network. */
export function reset(at: Answer['at'] = 'body'): Answer {
  return script(({ socket }) => void socket.resetAndDestroy(), at);
}

/** Never answers. */
export function silence(): Answer {
  return script(() => undefined);
}

/** 1xx answers before the last one; each a whole head without its empty line, such as `HTTP/1.1 103 Early Hints`. */
export function afterInterim(heads: readonly string[], last: Answer): Answer {
  return script(async (context) => {
    for (const head of heads) await context.write(`${head}\r\n\r\n`);
    await last.run(context);
  });
}

/** Switches protocols, then sends every byte back. */
export function upgradeEcho(protocol = 'websocket', headerLines: readonly string[] = []): Answer {
  return script(async ({ write, tunnel }) => {
    tunnel((bytes) => void write(bytes));
    const head = ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', `Upgrade: ${protocol}`];
    await write([...head, ...headerLines, '', ''].join('\r\n'));
  }, 'head');
}

export interface HeldAnswer extends Answer {
  /** Resolves when a request has come to be held. */
  readonly arrived: Promise<RecordedRequest>;
  /** Lets every held request, and all to come, have the answer. */
  release(): void;
}

/** Keeps the answer back until it is released. */
export function held(then: Answer = answer()): HeldAnswer {
  const arrival = Promise.withResolvers<RecordedRequest>();
  const gate = Promise.withResolvers<void>();
  return {
    at: then.at,
    arrived: arrival.promise,
    release: () => gate.resolve(),
    async run(context) {
      arrival.resolve(context.request);
      await gate.promise;
      await then.run(context);
    },
  };
}
