import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { continueRequest, type Exchange, outboundOf, routeOf } from '../core/exchange.ts';
import { retarget } from '../core/outbound.ts';
import type { Balancer, Clock, Timer } from '../core/ports.ts';
import { deny, fault, RefusalError } from '../core/refusal.ts';
import { answerHeaders } from './answer-headers.ts';
import { codeOfFailure, isConnectionFailure } from './upstream-faults.ts';

export interface ForwardingOptions {
  readonly balancer: Balancer;
  readonly clock: Clock;
  /** Milliseconds without a byte of a body moving between us and the client. */
  readonly clientBodyIdle: number;
  /** Told of every answer; true: it is to be thrown away, and the request signed and sent again. */
  readonly noticeAnswer: (exchange: Exchange, status: number, date: string | undefined) => boolean;
}

/** What may be sent again when its connection failed (RFC 9110 section 9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/**
 * One request on its way to the upstream and its answer on the way back: undici calls it as things happen. Bodies stream
 * in both directions, each side waiting for the other; nothing is held but what is in the sockets' buffers.
 */
export class Forwarding implements Dispatcher.DispatchHandler {
  readonly #exchange: Exchange;
  readonly #options: ForwardingOptions;
  readonly #sentAt: number;
  #controller: Dispatcher.DispatchController | null = null;
  #cancelled = false;
  #discarding = false;
  #clientIdle: Timer | null = null;
  #bodyBytes = 0;
  #watchesDrain = false;

  constructor(exchange: Exchange, options: ForwardingOptions) {
    this.#exchange = exchange;
    this.#options = options;
    this.#sentAt = options.clock.monotonic();
  }

  /** The client is gone: the upstream need not go on. */
  cancel(): void {
    this.#cancelled = true;
    this.#clientIdle?.cancel();
    this.#controller?.abort(new Error('the client is gone'));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#cancelled || this.#exchange.settled) {
      controller.abort(new Error('the client is gone'));
      return;
    }
    if (outboundOf(this.#exchange).body !== null) {
      this.#watchClient();
      // Only now, when the caller is judged and the upstream connected, is the body asked for.
      continueRequest(this.#exchange);
    }
  }

  /** A chunk of the request's body has gone out. */
  onBodySent(chunk: Uint8Array): void {
    this.#watchClient();
    this.#bodyBytes += chunk.length;
    // A length that is known was judged before; what goes out may be framed, and so longer than what came in.
    if (outboundOf(this.#exchange).contentLength >= 0) return;
    const limit = routeOf(this.#exchange).bodyBytes;
    if (limit !== null && this.#bodyBytes > limit) this.#refuse('LIMIT_BODY');
  }

  onRequestSent(): void {
    this.#clientIdle?.cancel();
    this.#clientIdle = null;
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
    statusMessage?: string,
  ): void {
    const exchange = this.#exchange;
    const { response } = exchange;
    if (status < 200) {
      passInformational(exchange, status, headers);
      return;
    }
    this.#options.balancer.succeeded(outboundOf(exchange).target);
    this.#discarding = this.#options.noticeAnswer(exchange, status, textOf(headers['date']));
    if (this.#discarding) return;
    exchange.upstreamTime = this.#options.clock.monotonic() - this.#sentAt;
    exchange.status = status;
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
    if (exchange.response.write(chunk)) return;
    controller.pause();
    this.#watchClient();
    if (this.#watchesDrain) return;
    this.#watchesDrain = true;
    exchange.response.on('drain', () => {
      this.#clientIdle?.cancel();
      this.#clientIdle = null;
      controller.resume();
    });
  }

  onResponseEnd(_controller: Dispatcher.DispatchController, trailers: IncomingHttpHeaders): void {
    this.#done();
    if (this.#discarding) {
      this.#exchange.runner.retry(this.#exchange);
      return;
    }
    const { request, response } = this.#exchange;
    addTrailers(response, trailers);
    // An answer that came before the whole request leaves bytes of it unread: the connection cannot be used again.
    if (!request.complete) response.on('finish', () => response.socket?.destroySoon());
    response.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#done();
    const exchange = this.#exchange;
    if (this.#cancelled || exchange.settled) return;
    const outbound = outboundOf(exchange);
    // The client's own body failed: undici hands its error on as it is.
    if (error === exchange.request.errored) {
      exchange.runner.refuse(exchange, deny('REQUEST_MALFORMED', { cause: error }));
      return;
    }
    // What `sign` does to a body on its way found something wrong with it.
    if (error instanceof RefusalError) {
      exchange.runner.refuse(exchange, error.refusal);
      return;
    }
    const failed = isConnectionFailure(error);
    if (failed && !exchange.response.headersSent) {
      const { balancer } = this.#options;
      balancer.failed(outbound.target);
      if (this.#mayRetry()) {
        retarget(outbound, balancer.choose(outbound.upstream));
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

  /** Starts, or starts again, the time within which the client must send or take a byte. */
  #watchClient(): void {
    if (this.#clientIdle !== null) {
      this.#clientIdle.restart();
      return;
    }
    this.#clientIdle = this.#options.clock.after(this.#options.clientBodyIdle, () => {
      this.#refuse('REQUEST_TIMEOUT');
    });
  }

  #refuse(code: 'REQUEST_TIMEOUT' | 'LIMIT_BODY'): void {
    this.cancel();
    this.#exchange.runner.refuse(this.#exchange, deny(code));
  }

  #done(): void {
    this.#exchange.cancel = null;
    this.#clientIdle?.cancel();
    this.#clientIdle = null;
  }
}

function textOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

function flushHeaders(exchange: Exchange): void {
  const { response } = exchange;
  if (exchange.bytesSent === 0 && !response.writableEnded && !response.destroyed) response.flushHeaders();
}

/** 103 Early Hints pass to clients that can read them (RFC 8297 section 3); other interim answers end here. */
function passInformational(exchange: Exchange, status: number, headers: IncomingHttpHeaders): void {
  const { request, response } = exchange;
  if (status !== 103 || request.httpVersionMinor === 0 || headers['link'] === undefined) return;
  const links = headers['link'];
  response.writeEarlyHints({ link: links });
}

/** Trailers pass in a chunked body; node:http leaves them out where there is no place for them. */
function addTrailers(response: Exchange['response'], trailers: IncomingHttpHeaders): void {
  const pairs: [string, string][] = [];
  for (const name in trailers) {
    const value = trailers[name];
    if (typeof value === 'string') pairs.push([name, value]);
    else for (const one of value ?? []) pairs.push([name, one]);
  }
  if (pairs.length > 0) response.addTrailers(pairs);
}
