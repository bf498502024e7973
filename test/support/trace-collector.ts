import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

type AttributeValue = string | number | boolean;

/** A span as it was exported. */
export interface CollectedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for a root. */
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: 'internal' | 'server' | 'client';
  /** Nanoseconds since the epoch. */
  readonly start: bigint;
  readonly end: bigint;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  readonly failed: boolean;
  readonly resource: Readonly<Record<string, AttributeValue>>;
}

/** What the collector does with what it is sent: takes it, answers with this status, or says nothing. */
export type CollectorMood = 'good' | 'silent' | number;

/** Takes OTLP over HTTP in JSON, as a collector does. */
export interface TraceCollector {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly endpoint: string;
  readonly spans: readonly CollectedSpan[];
  readonly requests: readonly { readonly url: string; readonly headers: IncomingHttpHeaders }[];
  /** All that was sent, as text. */
  readonly received: string;
  behave(mood: CollectorMood): void;
  /** Resolves when this holds, looked at whenever something was sent. */
  until(condition: () => boolean): Promise<void>;
  /** The spans of one trace once its server span, the last one, is there: the server's first, the others by their start. */
  trace(traceId: string): Promise<readonly CollectedSpan[]>;
  stop(): Promise<void>;
}

export async function startTraceCollector(port = 0): Promise<TraceCollector> {
  const spans: CollectedSpan[] = [];
  const requests: { url: string; headers: IncomingHttpHeaders }[] = [];
  const news = new EventEmitter();
  let received = '';
  let mood: CollectorMood = 'good';

  const answer = (response: ServerResponse, body: string): void => {
    if (mood === 'silent') return;
    if (mood === 'good') {
      received += body;
      spans.push(...readSpans(JSON.parse(body)));
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    } else response.writeHead(mood).end();
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => void chunks.push(chunk));
    request.on('end', () => {
      requests.push({ url: request.url ?? '', headers: request.headers });
      const body = Buffer.concat(chunks);
      const plain = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
      answer(response, plain.toString('utf8'));
      news.emit('news');
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');

  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await once(news, 'news');
  };
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    requests,
    get received() {
      return received;
    },
    behave(next) {
      mood = next;
    },
    until,
    async trace(traceId) {
      const ofTrace = (): CollectedSpan[] => spans.filter((span) => span.traceId === traceId);
      await until(() => ofTrace().some((span) => span.kind === 'server'));
      return ofTrace().sort(
        (a, b) =>
          Number(b.kind === 'server') - Number(a.kind === 'server') ||
          (a.start < b.start ? -1 : Number(a.start > b.start)),
      );
    },
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** As much of an ExportTraceServiceRequest as is read (opentelemetry-proto, trace/v1). */
interface ExportedTraces {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly ExportedAttribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly ExportedSpan[] }[];
  }[];
}

interface ExportedAttribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: number; readonly boolValue?: boolean };
}

interface ExportedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly ExportedAttribute[];
  readonly status: { readonly code?: number };
}

const KINDS: Readonly<Record<number, CollectedSpan['kind']>> = { 1: 'internal', 2: 'server', 3: 'client' };
const ERROR = 2;

function readSpans({ resourceSpans }: ExportedTraces): CollectedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => readSpan(span, readAttributes(resource.attributes))),
    ),
  );
}

function readSpan(span: ExportedSpan, resource: CollectedSpan['resource']): CollectedSpan {
  const kind = KINDS[span.kind];
  if (kind === undefined) throw new Error(`a span of kind ${span.kind}`);
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId ?? '',
    name: span.name,
    kind,
    start: BigInt(span.startTimeUnixNano),
    end: BigInt(span.endTimeUnixNano),
    attributes: readAttributes(span.attributes),
    failed: span.status.code === ERROR,
    resource,
  };
}

function readAttributes(attributes: readonly ExportedAttribute[]): Record<string, AttributeValue> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => {
      const known = value.stringValue ?? value.intValue ?? value.boolValue;
      if (known === undefined) throw new Error(`an attribute without a plain value: ${key}`);
      return [key, known];
    }),
  );
}
