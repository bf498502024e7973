import {
  type Context,
  type HrTime,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { type Exchange, HANDED_OVER, outboundOf, type StageName, type Verdict } from '../../core/exchange.ts';
import type { HeaderList } from '../../core/headers.ts';
import type { Clock } from '../../core/ports.ts';
import type { Refusal } from '../../core/refusal.ts';
import type { RequestTrace } from '../../core/request-trace.ts';
import { type TraceContext, TraceFlag, traceContextOf } from '../../core/trace-context.ts';
import { attemptAttributes, methodName, requestAttributes, spanName, stageAttributes } from './attributes.ts';

/** The spans of one request: the server's, one for each stage that does something, one for each attempt to send. */
export class Recording implements RequestTrace {
  readonly traceId: string;
  readonly #tracer: Tracer;
  readonly #exchange: Exchange;
  readonly #clock: Clock;
  /** What the client said; null: nothing, or nothing valid. */
  readonly #sent: TraceContext | null;
  /** From monotonic milliseconds to those since the epoch, the same for all spans of the request. */
  readonly #epoch: number;
  readonly #server: Span;
  readonly #context: Context;
  /** The stage that is running. */
  #stage: Span | null = null;
  #attempt: Span | null = null;
  #finished = false;
  #failure: unknown = null;

  constructor(tracer: Tracer, exchange: Exchange, clock: Clock) {
    this.#tracer = tracer;
    this.#exchange = exchange;
    this.#clock = clock;
    this.#epoch = clock.now() - clock.monotonic();
    this.#sent = traceContextOf(exchange);
    const startTime = this.#time(exchange.startedAt);
    const parent = parentContext(this.#sent);
    this.#server = tracer.startSpan(methodName(exchange), { kind: SpanKind.SERVER, startTime }, parent);
    this.#context = trace.setSpan(ROOT_CONTEXT, this.#server);
    this.traceId = this.#server.spanContext().traceId;
  }

  /** Null where there is nothing to tell. */
  beginStage(stage: StageName): Span | null {
    // Signing comes again before another attempt: the one before is over.
    if (stage === 'sign' && this.#attempt !== null) this.#giveUpAttempt(this.#attempt);
    if (!this.#server.isRecording() || isIdle(stage, this.#exchange)) return null;
    this.#stage = this.#begin(stage, SpanKind.INTERNAL);
    return this.#stage;
  }

  /** Of no effect where the request was over before the stage was. */
  endStage(span: Span, stage: StageName, verdict: Verdict): void {
    if (this.#stage !== span) return;
    this.#stage = null;
    const refusal = refusalOf(verdict);
    span.setAttributes(stageAttributes(stage, this.#exchange, refusal));
    if (refusal?.kind === 'fault') markFailed(span, refusal.code);
    span.end(this.#time(this.#clock.monotonic()));
  }

  /** Begins an attempt to send, and tells the upstream whose child its own span is. */
  beginAttempt(): void {
    const outbound = outboundOf(this.#exchange);
    const recording = this.#server.isRecording();
    if (recording) this.#attempt = this.#begin(outbound.method, SpanKind.CLIENT);
    const { spanId } = (this.#attempt ?? this.#server).spanContext();
    const flags = (recording ? TraceFlag.sampled : 0) | ((this.#sent?.flags ?? 0) & TraceFlag.random);
    const traceparent = `00-${this.traceId}-${spanId}-0${flags}`;
    outbound.headers = withTraceContext(outbound.headers, traceparent, this.#sent !== null);
  }

  /** Called where nobody expects that it fails: that is told when the request is settled. */
  switched(): void {
    try {
      this.finish();
    } catch (error) {
      this.#failure = error;
    }
  }

  /** Ends whatever has begun. Of no effect the second time. */
  finish(): void {
    if (this.#failure !== null) throw this.#failure;
    if (this.#finished) return;
    this.#finished = true;
    const server = this.#server;
    if (!server.isRecording()) return;
    const exchange = this.#exchange;
    const now = this.#time(this.#clock.monotonic());
    const failure = exchange.refusal?.kind === 'fault' ? exchange.refusal.code : null;
    // It was waited for in vain, or the client did not wait.
    if (this.#stage !== null) {
      if (failure !== null) markFailed(this.#stage, failure);
      this.#stage.end(now);
      this.#stage = null;
    }
    if (this.#attempt !== null) {
      const { attributes, error } = attemptAttributes(exchange);
      this.#attempt.setAttributes(attributes);
      if (error !== null) markFailed(this.#attempt, error);
      this.#attempt.end(now);
    }
    server.updateName(spanName(exchange));
    server.setAttributes(requestAttributes(exchange));
    // What a client has got wrong is no failure of the server (semantic conventions for HTTP spans).
    if (exchange.status >= 500 || failure !== null) markFailed(server, failure ?? String(exchange.status));
    server.end(now);
  }

  #begin(name: string, kind: SpanKind): Span {
    const startTime = this.#time(this.#clock.monotonic());
    return this.#tracer.startSpan(name, { kind, startTime }, this.#context);
  }

  /** An attempt that is to be repeated: its connection failed, or its answer said that the clock is wrong. */
  #giveUpAttempt(attempt: Span): void {
    this.#attempt = null;
    attempt.setAttributes(attemptAttributes(this.#exchange).attributes);
    markFailed(attempt, 'retried');
    attempt.end(this.#time(this.#clock.monotonic()));
  }

  #time(monotonic: number): HrTime {
    const milliseconds = this.#epoch + monotonic;
    const seconds = Math.floor(milliseconds / 1_000);
    return [seconds, Math.floor((milliseconds - seconds * 1_000) * 1_000_000)];
  }
}

function parentContext(sent: TraceContext | null): Context {
  if (sent === null) return ROOT_CONTEXT;
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId: sent.traceId,
    spanId: sent.parentId,
    traceFlags: sent.flags,
    isRemote: true,
  });
}

/** Whether a stage has nothing to do on this route. */
function isIdle(stage: StageName, { route }: Exchange): boolean {
  if (stage === 'authenticate') return route?.rule.kind === 'public';
  if (stage === 'authorize') return route?.rule.kind === 'public' && route.rateLimit === null;
  return stage === 'sign' && route?.upstream.sign === null;
}

function refusalOf(verdict: Verdict): Refusal | null {
  return verdict === undefined || verdict === HANDED_OVER || verdict.kind === 'reply' ? null : verdict;
}

function markFailed(span: Span, type: string): void {
  span.setAttribute('error.type', type);
  span.setStatus({ code: SpanStatusCode.ERROR });
}

/**
 * Puts our `traceparent` in place of the client's. Its `tracestate` goes on only beside one that was valid (W3C Trace
 * Context, section 3.3.1). Neither is covered by a signature.
 */
function withTraceContext(headers: HeaderList, traceparent: string, keepState: boolean): HeaderList {
  const kept: HeaderList = [];
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (name === 'traceparent' || (name === 'tracestate' && !keepState)) continue;
    kept.push(name, headers[i + 1] as string);
  }
  kept.push('traceparent', traceparent);
  return kept;
}
