import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { continueRequest, type Exchange, outboundOf, routeOf } from '../core/exchange.ts';
import { retarget } from '../core/outbound.ts';
import type { Balancer, Clock } from '../core/ports.ts';
import { deny, fault, RefusalError } from '../core/refusal.ts';
import type { Admission } from './admission.ts';
import { answerHeaders, answerTrailers } from './answer-headers.ts';
import { ClientWatch } from './client-watch.ts';
import { RequestBody } from './request-body.ts';
import { codeOfFailure, isConnectionFailure, isTargetFailure, UpstreamFault } from './upstream-faults.ts';

export interface ForwardingOptions {
  readonly admission: Admission;
  readonly balancer: Balancer;
  readonly clock: Clock;
  /** Milliseconds without a byte of a body moving between us and the client. */
  readonly clientBodyIdle: number;
  /** Told of every answer; true: it is to be thrown away, and the request signed and sent again. */
  readonly noticeAnswer: (exchange: Exchange, status: number, date: string | undefined) => boolean;
  /** Told of the bytes of bodies, in both directions. */
  readonly bytesPassed: (bytes: number) => void;
}

/** What may be sent again when its connection failed (RFC 9110 section 9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** Interim answers before one that counts; each starts undici's wait for an answer again. */
const MOST_INTERIM = 100;

/**
 * One request on its way to the upstream and its answer on the way back: undici calls it as things happen. Bodies stream
 * in both directions, each side waiting for the other; nothing is held but what is in the sockets' buffers.
 */
export class Forwarding implements Dispatcher.DispatchHandler {
  /** What undici sends. */
  readonly body: Readable | Buffer | null;
  /** The client's body, which that may be made of. */
  readonly #clientBody: RequestBody | null;
  readonly #exchange: Exchange;
  readonly #options: ForwardingOptions;
  readonly #sentAt: number;
  #controller: Dispatcher.DispatchController | null = null;
  #over = false;
  #discarding = false;
  #watch: ClientWatch | null = null;
  #interim = 0;

  constructor(exchange: Exchange, options: ForwardingOptions) {
    this.#exchange = exchange;
    this.#options = options;
    this.#sentAt = options.clock.monotonic();
    const { body, transform } = outboundOf(exchange);
    this.#clientBody =
      body === exchange.request
        ? new RequestBody(exchange.request, routeOf(exchange).bodyBytes, () => this.#refuse('LIMIT_BODY'))
        : null;
    this.body =
      this.#clientBody === null || transform === null
        ? (this.#clientBody ?? body)
        : Readable.from(transform(this.#clientBody), { objectMode: false });
  }

  /** The client is gone: the upstream need not go on. */
  cancel(): void {
    this.#stop(new Error('the client is gone'));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    const exchange = this.#exchange;
    this.#controller = controller;
    if (this.#over || exchange.settled) {
      controller.abort(new Error('the client is gone'));
      return;
    }
    if (this.#clientBody === null) return;
    this.#clientWatch().expectBody(this.#clientBody);
    // Only now, when the caller is judged and the upstream connected, is the body asked for.
    continueRequest(exchange);
  }

  /** A chunk of the request's body has gone out. */
  onBodySent(chunk: Uint8Array): void {
    this.#watch?.moved();
    this.#options.bytesPassed(chunk.length);
  }

  onRequestSent(): void {
    this.#watch?.bodyComplete();
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
    statusMessage?: string,
  ): void {
    const exchange = this.#exchange;
    const { request, response } = exchange;
    if (status < 200) {
      this.#interim += 1;
      if (this.#interim > MOST_INTERIM) this.#fail('more interim answers than anyone needs');
      else passInformational(exchange, status, headers);
      return;
    }
    this.#options.balancer.succeeded(outboundOf(exchange).target);
    this.#discarding = this.#options.noticeAnswer(exchange, status, dateOf(headers));
    if (this.#discarding) return;
    exchange.upstreamTime = this.#options.clock.monotonic() - this.#sentAt;
    exchange.status = status;
    // An answer before the whole request says that the rest is not wanted: the connection goes with it.
    if (!request.complete) response.shouldKeepAlive = false;
    // llhttp reads the reason phrase as UTF-8, node:http writes it as latin-1.
    const reason = statusMessage === undefined || /[^\t\x20-\x7e]/.test(statusMessage) ? '' : statusMessage;
    response.writeHead(status, reason, answerHeaders(exchange, status, headers));
    // The header section goes out with the first bytes of the body when they are at hand, and by itself otherwise.
    process.nextTick(flushHeaders, exchange);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#discarding) return;
    const exchange = this.#exchange;
    exchange.bytesSent += chunk.length;
    this.#options.bytesPassed(chunk.length);
    if (exchange.response.write(chunk)) return;
    controller.pause();
    this.#clientWatch().expectDrain(controller);
  }

  onResponseEnd(_controller: Dispatcher.DispatchController, trailers: IncomingHttpHeaders): void {
    this.#done();
    if (this.#discarding) {
      this.#exchange.runner.retry(this.#exchange);
      return;
    }
    const { response } = this.#exchange;
    const pairs = answerTrailers(this.#exchange, trailers);
    if (pairs.length > 0) response.addTrailers(pairs);
    response.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#done();
    const exchange = this.#exchange;
    if (this.#over || exchange.settled) return;
    // What is made of the client's body on its way out found something wrong with it.
    if (error instanceof RefusalError) {
      exchange.runner.refuse(exchange, error.refusal);
      return;
    }
    if (!exchange.response.headersSent && isTargetFailure(error)) {
      const outbound = outboundOf(exchange);
      const { balancer } = this.#options;
      balancer.failed(outbound.target);
      if (isConnectionFailure(error) && this.#mayRetry()) {
        retarget(outbound, balancer.choose(outbound.upstream, outbound.target));
        exchange.runner.retry(exchange);
        return;
      }
    }
    exchange.runner.refuse(exchange, fault(codeOfFailure(error), error));
  }

  #mayRetry(): boolean {
    const { method, body, upstream } = outboundOf(this.#exchange);
    return body === null && IDEMPOTENT.has(method) && this.#exchange.attempts <= upstream.retries;
  }

  #clientWatch(): ClientWatch {
    const { clock, clientBodyIdle } = this.#options;
    this.#watch ??= new ClientWatch(this.#exchange.response, clock, clientBodyIdle, () =>
      this.#refuse('REQUEST_TIMEOUT'),
    );
    return this.#watch;
  }

  #refuse(code: 'REQUEST_TIMEOUT' | 'LIMIT_BODY'): void {
    this.#stop(new Error('the request is refused'));
    this.#exchange.runner.refuse(this.#exchange, deny(code));
  }

  #fail(reason: string): void {
    const cause = new UpstreamFault('UPSTREAM_RESPONSE_INVALID', reason);
    this.#stop(cause);
    this.#exchange.runner.refuse(this.#exchange, fault(cause.code, cause));
  }

  #stop(reason: Error): void {
    this.#over = true;
    this.#watch?.stop();
    this.#controller?.abort(reason);
  }

  #done(): void {
    const exchange = this.#exchange;
    exchange.cancel = null;
    this.#options.admission.leave(outboundOf(exchange).upstream.name, exchange);
    this.#watch?.stop();
    this.#clientBody?.destroy();
  }
}

function dateOf({ date }: IncomingHttpHeaders): string | undefined {
  return typeof date === 'string' ? date : undefined;
}

function flushHeaders(exchange: Exchange): void {
  const { response } = exchange;
  if (exchange.bytesSent === 0 && !response.writableEnded && !response.destroyed) response.flushHeaders();
}

/** 103 Early Hints pass to clients that can read them (RFC 8297 section 3); other interim answers end here. */
function passInformational(exchange: Exchange, status: number, headers: IncomingHttpHeaders): void {
  const { request, response } = exchange;
  const { link } = headers;
  if (status !== 103 || request.httpVersionMinor === 0 || link === undefined || response.headersSent) return;
  try {
    response.writeEarlyHints({ link });
  } catch {
    // node:http knows fewer forms of Link than RFC 8288 has. A hint is no more than a hint.
  }
}
