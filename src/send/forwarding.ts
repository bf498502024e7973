import { continueRequest, type Exchange, outboundOf, routeOf, type Sending } from '../core/exchange.ts';
import { type HeaderList, headerValue } from '../core/headers.ts';
import { retarget } from '../core/outbound.ts';
import type { Balancer, Clock } from '../core/ports.ts';
import { deny, fault, type Refusal, RefusalError } from '../core/refusal.ts';
import type { Admission } from './admission.ts';
import { answerHeaders, answerTrailers } from './answer-headers.ts';
import { codeOfFailure, isConnectionFailure, isTargetFailure } from './classify-failure.ts';
import { ClientWatch, clientLate } from './client-watch.ts';
import { type AnswerHead, invalid } from './http/answer-head.ts';
import type { AnswerReceiver, Connection, UpstreamRequest } from './http/connection.ts';
import type { ConnectionPool } from './http/connection-pool.ts';
import { RequestBody } from './request-body.ts';
import { TransformedBody } from './transformed-body.ts';

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

/** Interim answers before one that counts; each starts the wait for an answer again. */
const MOST_INTERIM = 100;

/**
 * One request on its way to the upstream and its answer on the way back: told of things as they happen. Bodies stream in both
 * directions, each side waiting for the other; nothing is held but what is in the sockets' buffers.
 */
export class Forwarding implements AnswerReceiver, Sending {
  /** The client's body as it streams in; null: there is none, or it is held. */
  readonly #clientBody: RequestBody | null;
  /** What is sent: the client's body or what is made of it. */
  readonly #body: UpstreamRequest['body'];
  readonly #exchange: Exchange;
  readonly #options: ForwardingOptions;
  /** Monotonic milliseconds; each attempt has its own, as the wait for its answer has. */
  readonly #sentAt: number;
  /** Which one this is, by the exchange's count. */
  readonly #attempt: number;
  #connection: Connection | null = null;
  #discarding = false;
  #watch: ClientWatch | null = null;
  #interim = 0;
  /** The answer's body where it came in one with the header section. */
  #whole: string | null = null;

  constructor(exchange: Exchange, options: ForwardingOptions) {
    this.#exchange = exchange;
    this.#options = options;
    this.#sentAt = options.clock.monotonic();
    this.#attempt = exchange.attempts;
    const { body, transform } = outboundOf(exchange);
    if (body === null || Buffer.isBuffer(body)) {
      this.#clientBody = null;
      this.#body = body;
      return;
    }
    this.#clientBody = new RequestBody(body, routeOf(exchange).bodyBytes, () =>
      this.#refuse(deny('LIMIT_BODY')),
    );
    this.#body = transform === null ? this.#clientBody : new TransformedBody(this.#clientBody, transform);
  }

  /** Sends the request, once. */
  send(pool: ConnectionPool): void {
    const { method, path, headers, contentLength } = outboundOf(this.#exchange);
    const { responseTimeout, bodyIdleTimeout } = routeOf(this.#exchange);
    const request: UpstreamRequest = {
      method,
      path,
      headers,
      contentLength,
      body: this.#body,
      responseTimeout,
      bodyIdleTimeout,
    };
    this.#connection = pool.send(request, this);
  }

  cancel(): void {
    this.#watch?.stop();
    this.#connection?.abort(this, new Error('given up'));
  }

  connected(): boolean {
    const exchange = this.#exchange;
    if (exchange.settled) return false;
    if (this.#clientBody !== null) {
      this.#clientWatch().expectBody(this.#clientBody);
      // Only now, when the caller is judged and the upstream connected, is the body asked for.
      continueRequest(exchange);
    }
    return true;
  }

  /** Some of the request's body has gone out. */
  bodySent(bytes: number): void {
    this.#watch?.moved();
    this.#options.bytesPassed(bytes);
  }

  requestSent(): void {
    this.#watch?.bodyComplete();
  }

  interim({ status, headers }: AnswerHead): void {
    this.#interim += 1;
    if (this.#interim > MOST_INTERIM) throw invalid('more interim answers came than anyone needs');
    passInformational(this.#exchange, status, headers);
  }

  answered(head: AnswerHead, body: string | null): void {
    const exchange = this.#exchange;
    const { request, response } = exchange;
    const { balancer, clock, noticeAnswer } = this.#options;
    balancer.succeeded(outboundOf(exchange).target);
    this.#discarding = noticeAnswer(exchange, head.status, headerValue(head.headers, 'date'));
    if (this.#discarding) return;
    exchange.upstreamTime = clock.monotonic() - this.#sentAt;
    exchange.status = head.status;
    // An answer before the whole request says that the rest is not wanted: the connection goes with it.
    if (!request.complete) response.shouldKeepAlive = false;
    response.writeHead(head.status, head.reason, answerHeaders(exchange, head));
    this.#whole = body;
    // The header section goes out with the first bytes of the body when they are at hand, and by itself otherwise.
    if (body === null) process.nextTick(flushHeaders, exchange);
  }

  received(piece: Buffer): void {
    if (this.#discarding) return;
    const exchange = this.#exchange;
    exchange.bytesSent += piece.length;
    this.#options.bytesPassed(piece.length);
    if (exchange.response.write(piece)) return;
    this.#connection?.pause(this);
    this.#clientWatch().expectDrain(this);
  }

  /** The client has taken what it was sent. */
  resume(): void {
    this.#connection?.resume(this);
  }

  ended(trailers: HeaderList): void {
    const exchange = this.#exchange;
    this.#done();
    if (this.#discarding) {
      exchange.runner.retry(exchange, this.#attempt);
      return;
    }
    const { response } = exchange;
    const whole = this.#whole;
    if (whole !== null) {
      exchange.bytesSent += whole.length;
      this.#options.bytesPassed(whole.length);
      // Text goes out with the header section in one piece.
      response.end(whole, 'latin1');
      return;
    }
    const pairs = answerTrailers(exchange, trailers);
    if (pairs.length > 0) response.addTrailers(pairs);
    response.end();
  }

  failed(error: Error): void {
    this.#done();
    const exchange = this.#exchange;
    if (exchange.settled || exchange.refusal !== null) return;
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
        exchange.runner.retry(exchange, this.#attempt);
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
      this.#refuse(clientLate()),
    );
    return this.#watch;
  }

  #refuse(refusal: Refusal): void {
    this.#exchange.runner.refuse(this.#exchange, refusal);
  }

  #done(): void {
    const exchange = this.#exchange;
    exchange.sending = null;
    this.#options.admission.leave(outboundOf(exchange).upstream.name, exchange);
    this.#watch?.stop();
  }
}

function flushHeaders(exchange: Exchange): void {
  const { response } = exchange;
  if (exchange.bytesSent === 0 && !response.writableEnded && !response.destroyed) response.flushHeaders();
}

/** 103 Early Hints pass to clients that can read them (RFC 8297 section 3); other interim answers end here. */
function passInformational(exchange: Exchange, status: number, headers: HeaderList): void {
  const { request, response } = exchange;
  if (status !== 103 || request.httpVersionMinor === 0 || response.headersSent) return;
  const link = headers.filter((_, i) => i % 2 === 1 && headers[i - 1] === 'link');
  if (link.length === 0) return;
  try {
    response.writeEarlyHints({ link });
  } catch {
    // node:http knows fewer forms of Link than RFC 8288 has. A hint is no more than a hint.
  }
}
