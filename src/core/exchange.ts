import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { HeaderList } from './headers.ts';
import type { Inbound } from './inbound.ts';
import type { OutboundRequest } from './outbound.ts';
import type { Timer } from './ports.ts';
import type { Principal } from './principal.ts';
import type { Refusal } from './refusal.ts';
import type { RequestTrace } from './request-trace.ts';
import type { PathParameters, Route } from './route.ts';
import { NO_PARAMETERS } from './route.ts';

/** The names of the stages, in the order in which a request meets them. */
export const STAGES = [
  'canonicalize',
  'route',
  'authenticate',
  'authorize',
  'prepare',
  'sign',
  'send',
  'observe',
] as const;
export type StageName = (typeof STAGES)[number];

/** An answer of our own that is not a refusal, such as a preflight's. */
export interface Reply {
  readonly kind: 'reply';
  readonly status: number;
  readonly headers: HeaderList;
}

/** The stage has taken the request over and calls {@link Exchange.settle} when all is done. */
export const HANDED_OVER = Symbol('handed over');

/** Undefined: on to the next stage. */
export type Verdict = undefined | Refusal | Reply | typeof HANDED_OVER;

export interface Stage {
  readonly name: StageName;
  run(exchange: Exchange): Verdict | Promise<Verdict>;
}

/** A request on its way to an upstream. */
export interface Sending {
  /** It is refused, or its client is gone: the upstream need not go on. */
  cancel(): void;
}

/** What a stage that has taken a request over may ask of the one who runs the stages. */
export interface StageRunner {
  /** Refuses the request; cuts the connection when an answer has begun. */
  refuse(exchange: Exchange, refusal: Refusal): void;
  /**
   * Runs `sign` and `send` again, for another target.
   * @param attempt the one that came to nothing, as counted by {@link Exchange.attempts}; each is tried again once at most, and one
   *   that was never made, or is not the last, refuses the request
   */
  retry(exchange: Exchange, attempt: number): void;
}

/**
 * One request on its way through the stages. Each stage fills in its own part and reads those before it; the raw
 * request is there for `canonicalize` to read, and for `send` to stream the body of.
 */
export class Exchange {
  readonly request: IncomingMessage;
  /** Where the answer goes; for an upgrade, a response over the upgraded socket. */
  readonly response: ServerResponse;
  /** Set for an upgrade: the client's socket and the first bytes that came after the header section. */
  readonly tunnel: { readonly socket: Duplex; readonly head: Buffer } | null;
  /** Monotonic milliseconds. */
  readonly startedAt: number;
  /** The client waits for 100 Continue before it sends the body (RFC 9110 section 10.1.1). */
  readonly expectsContinue: boolean;

  requestId = '';
  /** Address of the client as trusted proxies tell it, else of the peer: for the log and for rate limits. */
  client = '';
  inbound: Inbound | null = null;
  route: Route | null = null;
  parameters: PathParameters = NO_PARAMETERS;
  /** Null for a guest, and on public routes. */
  principal: Principal | null = null;
  /** The caller's ID token, verified, where one was sent: as the caller's token, or beside an access token. */
  idToken: { readonly raw: string; readonly principal: Principal } | null = null;
  outbound: OutboundRequest | null = null;
  /** Headers of ours that go onto whatever answer is sent, over the upstream's of the same name. */
  answerHeaders: HeaderList = [];

  /** What the rule would have refused the request with, on a route that does not enforce its rule. */
  shadow: Refusal | null = null;
  /** The refusal, if it came to one. */
  refusal: Refusal | null = null;
  /** The status sent; 0 while none is, 499 when the client left first. */
  status = 0;
  /** Times the request has been sent; more than one after retries. */
  attempts = 0;
  /** The last attempt that was followed by another; 0 while none was. */
  retried = 0;
  /** Milliseconds from the request's sending to the upstream's header section; -1 when there was none. */
  upstreamTime = -1;
  /** Bytes of the answer's body. */
  bytesSent = 0;
  /** The last byte is out, or the connection is gone: nothing more can be said to the client. */
  settled = false;
  /** Whether a client that waits for 100 Continue has been told to go on. */
  continued = false;
  /** A stage waits for the client's body, under a limit of its own; see {@link waitForClient}. */
  waitsForClient = false;
  /** What ends the runner's wait for a stage; null while it waits for none. */
  deadline: Timer | null = null;

  /** Null while nothing is traced. */
  trace: RequestTrace | null = null;

  /** What `send` has under way for it, to be given up when the client is gone; null while there is nothing. */
  sending: Sending | null = null;

  readonly runner: StageRunner;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    tunnel: { readonly socket: Duplex; readonly head: Buffer } | null,
    startedAt: number,
    expectsContinue: boolean,
    runner: StageRunner,
  ) {
    this.runner = runner;
    this.request = request;
    this.response = response;
    this.tunnel = tunnel;
    this.startedAt = startedAt;
    this.expectsContinue = expectsContinue;
  }
}

/** The canonical request, for stages that run after it was made. */
export function inboundOf(exchange: Exchange): Inbound {
  return exchange.inbound ?? outOfOrder('canonicalize');
}

/** The route, for stages that run after it was found. */
export function routeOf(exchange: Exchange): Route {
  return exchange.route ?? outOfOrder('route');
}

/** The request to send, for stages that run after it was prepared. */
export function outboundOf(exchange: Exchange): OutboundRequest {
  return exchange.outbound ?? outOfOrder('prepare');
}

function outOfOrder(stage: StageName): never {
  throw new Error(`the stage ${stage} has not run`);
}

/** Lets a client that waits for 100 Continue send its body. Whoever is first to need the body calls it. */
export function continueRequest(exchange: Exchange): void {
  if (!exchange.expectsContinue || exchange.continued) return;
  exchange.continued = true;
  exchange.response.writeContinue();
}

/**
 * Waits for what only the client can end. Its time is not the stage's: until then the runner's deadline does not hold, and it begins
 * anew afterwards.
 *
 * @param work has a limit of its own
 * @param use goes on with what came of it, when the deadline holds again
 */
export function waitForClient<T, R>(
  exchange: Exchange,
  work: Promise<T>,
  use: (result: T) => R | Promise<R>,
): Promise<R> {
  exchange.waitsForClient = true;
  const goOn = (): void => {
    exchange.waitsForClient = false;
    exchange.deadline?.restart();
  };
  return work.then(
    (result) => {
      goOn();
      return use(result);
    },
    (error: unknown) => {
      goOn();
      throw error;
    },
  );
}
