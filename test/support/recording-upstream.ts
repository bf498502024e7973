import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import {
  type HeaderPair,
  headerValues,
  type MessageBody,
  type MessageHead,
  parseChunkedBody,
  parseHead,
  parseSizedBody,
} from './http-message.ts';
import { type Answer, type AnswerContext, answer } from './upstream-answers.ts';

/** One request exactly as it arrived. */
export interface RecordedRequest {
  /** Connections are numbered from 1 in the order in which they were made. */
  readonly connection: number;
  readonly requestLine: string;
  readonly method: string;
  /** The request target as on the wire. */
  readonly target: string;
  /** Header lines as on the wire, in order. */
  readonly headerLines: readonly string[];
  readonly headers: readonly HeaderPair[];
  /** Without chunk framing; empty while the body is not complete. */
  readonly body: Buffer;
  readonly trailers: readonly HeaderPair[];
  /** Every value under a name, in wire order. */
  values(name: string): string[];
}

/**
 * An upstream that takes whatever comes, as the worst of them do, and writes down every byte. What reaches it is what
 * the proxy let through, so a test of a refusal asserts that `requests` and `connections` stayed as they were.
 */
export interface RecordingUpstream {
  readonly origin: string;
  readonly port: number;
  /** Complete requests, oldest first. */
  readonly requests: readonly RecordedRequest[];
  /** Connections made so far. */
  readonly connections: number;
  /** Connections open now. */
  readonly openConnections: number;
  /** Everything that arrived on a connection. */
  bytes(connection: number): Buffer;
  /** Answers requests for this path (without its query) from now on; `*` is for all other paths. */
  on(path: string, answer: Answer): void;
  /** The request with this index, waiting until it has arrived complete. */
  request(index: number): Promise<RecordedRequest>;
  /** Resolves when the other side has ended or reset this connection. */
  closed(connection: number): Promise<'end' | 'reset'>;
  /** Forgets requests and answers; connections keep their numbers. */
  forget(): void;
  stop(): Promise<void>;
}

interface Wire {
  readonly socket: Socket;
  readonly received: Buffer[];
  readonly closed: Promise<'end' | 'reset'>;
}

/** Starts on a free port of the loopback. The default answer is 200 with the body `ok`. */
export async function startRecordingUpstream(): Promise<RecordingUpstream> {
  const wires: Wire[] = [];
  const open = new Set<Socket>();
  const requests: RecordedRequest[] = [];
  const answers = new Map<string, Answer>();
  const waiting = new Map<number, (request: RecordedRequest) => void>();

  function record(request: RecordedRequest): void {
    requests.push(request);
    const index = requests.length - 1;
    waiting.get(index)?.(request);
    waiting.delete(index);
  }

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    open.add(socket);
    const closed = new Promise<'end' | 'reset'>((resolve) => {
      socket.on('end', () => resolve('end'));
      socket.on('error', () => resolve('reset'));
      socket.on('close', () => {
        open.delete(socket);
        resolve('end');
      });
    });
    const received: Buffer[] = [];
    wires.push({ socket, received, closed });
    const answerFor = (path: string): Answer => answers.get(path) ?? answers.get('*') ?? answer();
    serve({ socket, connection: wires.length, received, answerFor, record });
  });

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  const wire = (connection: number): Wire => {
    const found = wires[connection - 1];
    if (found === undefined) throw new Error(`there is no connection ${connection}, only ${wires.length}`);
    return found;
  };

  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    requests,
    get connections() {
      return wires.length;
    },
    get openConnections() {
      return open.size;
    },
    bytes: (connection) => Buffer.concat(wire(connection).received),
    on: (path, reply) => void answers.set(path, reply),
    request(index) {
      const there = requests[index];
      if (there !== undefined) return Promise.resolve(there);
      return new Promise((resolve) => void waiting.set(index, resolve));
    },
    closed: (connection) => wire(connection).closed,
    forget() {
      requests.length = 0;
      answers.clear();
    },
    async stop() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

interface Serving {
  readonly socket: Socket;
  readonly connection: number;
  readonly received: Buffer[];
  readonly answerFor: (path: string) => Answer;
  readonly record: (request: RecordedRequest) => void;
}

/** Reads requests off one connection and answers them in turn, until one of them turns it into a tunnel. */
function serve({ socket, connection, received, answerFor, record }: Serving): void {
  let pending: Buffer = Buffer.alloc(0);
  let ended = false;
  let answering = false;
  let tunnel: ((bytes: Buffer) => void) | null = null;
  let current: { readonly head: MessageHead; readonly request: RecordedRequest; early: boolean } | null =
    null;

  const contextOf = (request: RecordedRequest): AnswerContext => ({
    request,
    socket,
    async write(bytes) {
      const whole = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
      if (socket.write(whole)) return;
      const listening = new AbortController();
      const { signal } = listening;
      await Promise.race([once(socket, 'drain', { signal }), once(socket, 'close', { signal })]);
      listening.abort();
    },
    tunnel(onBytes) {
      tunnel = onBytes;
    },
  });

  /** Takes the next head or body off the wire; false when it takes more bytes, or never will again. */
  async function step(): Promise<boolean> {
    if (current === null) {
      const head = parseHead(pending);
      if (head === undefined) return false;
      pending = pending.subarray(head.length);
      current = { head, request: recordOf(connection, head), early: false };
    }
    const { head, request } = current;
    const reply = answerFor(request.target.split('?', 1)[0] ?? '');
    if (reply.at === 'head' && !current.early) {
      current.early = true;
      await reply.run(contextOf(request));
      if (tunnel !== null) record(request);
    }
    if (tunnel !== null) return false;
    const body = bodyOf(head, pending);
    if (body === undefined) return false;
    pending = pending.subarray(body.length);
    const complete: RecordedRequest = { ...request, body: body.body, trailers: body.trailers };
    const { early } = current;
    current = null;
    record(complete);
    if (!early) await reply.run(contextOf(complete));
    return tunnel === null;
  }

  async function advance(): Promise<void> {
    if (answering) return;
    answering = true;
    try {
      while (await step());
    } catch {
      socket.destroy();
    }
    answering = false;
    if (tunnel !== null && pending.length > 0) {
      tunnel(pending);
      pending = Buffer.alloc(0);
    }
    if (ended) socket.end();
  }

  socket.on('data', (bytes: Buffer) => {
    received.push(bytes);
    if (tunnel !== null && !answering) return tunnel(bytes);
    pending = pending.length === 0 ? bytes : Buffer.concat([pending, bytes]);
    void advance();
  });
  socket.on('end', () => {
    ended = true;
    void advance();
  });
}

function recordOf(connection: number, head: MessageHead): RecordedRequest {
  const [method = '', ...rest] = head.startLine.split(' ');
  return {
    connection,
    requestLine: head.startLine,
    method,
    target: rest.slice(0, -1).join(' '),
    headerLines: head.lines,
    headers: head.headers,
    body: Buffer.alloc(0),
    trailers: [],
    values: (name) => headerValues(head.headers, name),
  };
}

function bodyOf(head: MessageHead, bytes: Buffer): MessageBody | undefined {
  if (headerValues(head.headers, 'transfer-encoding').some((value) => /chunked/i.test(value))) {
    return parseChunkedBody(bytes);
  }
  return parseSizedBody(bytes, Number(headerValues(head.headers, 'content-length')[0] ?? 0));
}
