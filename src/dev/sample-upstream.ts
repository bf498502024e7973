import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { echoWebSockets } from './web-socket-echo.ts';

/** A service to proxy: says what it received. */
export interface SampleUpstream {
  readonly origin: string;
  stop(): Promise<void>;
}

/** The head of a request as it was on the wire. */
export interface ReceivedHead {
  readonly method: string;
  /** Path and query as sent. */
  readonly target: string;
  /** In the order and spelling in which they came. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

export type SignatureReport =
  | { readonly present: false }
  | { readonly present: true; readonly valid: true; readonly accessKeyId: string }
  | { readonly present: true; readonly valid: false; readonly code: string; readonly reason: string };

/** Follows the body of one request as it arrives, and judges its SigV4 signature at its end. */
export interface SignatureJudge {
  update(bytes: Buffer): void;
  end(): SignatureReport;
}

export interface SampleUpstreamOptions {
  /** 0: a free one. */
  readonly port?: number;
  readonly host?: string;
  readonly judgeSignature?: (head: ReceivedHead) => SignatureJudge;
}

/** The judge of an upstream that knows no credentials. */
const NO_JUDGE: SignatureJudge = { update: () => undefined, end: () => ({ present: false }) };

/** Bytes of a body that are said back; length and hash are of all of it. */
const BODY_ECHO_BYTES = 65_536;

/** Milliseconds between the events of `/events`. */
const EVENT_INTERVAL = 1000;

/**
 * Starts on 127.0.0.1 unless told otherwise. Every request is answered with what it was, as JSON; `/events` is a stream of server-sent events
 * and `/ws/echo` a WebSocket that sends all messages back.
 */
export async function startSampleUpstream(options: SampleUpstreamOptions = {}): Promise<SampleUpstream> {
  const judgeSignature = options.judgeSignature ?? (() => NO_JUDGE);
  const server = createServer((request, response) => {
    const { pathname } = splitTarget(request);
    if (pathname === '/events') sendEvents(response);
    // A client that leaves in the middle of its body is nothing to report.
    else echoRequest(request, response, judgeSignature).catch(() => response.destroy());
  });
  const webSockets = echoWebSockets(server, '/ws/echo');
  server.listen(options.port ?? 0, options.host ?? '127.0.0.1');
  await once(server, 'listening');

  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      const closed = once(server, 'close');
      webSockets.stop();
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function echoRequest(
  request: IncomingMessage,
  response: ServerResponse,
  judgeSignature: (head: ReceivedHead) => SignatureJudge,
): Promise<void> {
  const method = request.method ?? '';
  const headers = headerPairs(request.rawHeaders);
  const judge = judgeSignature({ method, target: request.url ?? '', headers });
  const body = await readBody(request, judge);
  const { pathname, query } = splitTarget(request);
  const answer = {
    method,
    path: pathname,
    query,
    headers,
    body: body.text,
    bodyLength: body.length,
    bodySha256: body.sha256,
    signature: judge.end(),
  };
  response.setHeader('content-type', 'application/json; charset=utf-8');
  response.end(`${JSON.stringify(answer, null, 2)}\n`);
}

/** Not by `new URL`, which would tidy up what is to be shown as it is. */
function splitTarget(request: IncomingMessage): { pathname: string; query: string | null } {
  const target = request.url ?? '';
  const mark = target.indexOf('?');
  return mark < 0
    ? { pathname: target, query: null }
    : { pathname: target.slice(0, mark), query: target.slice(mark + 1) };
}

function headerPairs(rawHeaders: readonly string[]): ReceivedHead['headers'] {
  const pairs: [string, string][] = [];
  for (let i = 0; i < rawHeaders.length; i += 2) pairs.push([rawHeaders[i] ?? '', rawHeaders[i + 1] ?? '']);
  return pairs;
}

async function readBody(
  request: IncomingMessage,
  judge: SignatureJudge,
): Promise<{ text: string; length: number; sha256: string }> {
  const hash = createHash('sha256');
  const kept: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    hash.update(chunk);
    judge.update(chunk);
    if (length < BODY_ECHO_BYTES) kept.push(chunk.subarray(0, BODY_ECHO_BYTES - length));
    length += chunk.length;
  }
  return { text: Buffer.concat(kept).toString('utf8'), length, sha256: hash.digest('hex') };
}

function sendEvents(response: ServerResponse): void {
  let id = 0;
  const send = (): void => {
    id += 1;
    response.write(`id: ${id}\ndata: ${JSON.stringify({ id, time: new Date().toISOString() })}\n\n`);
  };
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  send();
  const timer = setInterval(send, EVENT_INTERVAL);
  response.on('close', () => clearInterval(timer));
}
