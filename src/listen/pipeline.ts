import { ERRORS } from '../core/errors.ts';
import {
  type Exchange,
  HANDED_OVER,
  type Reply,
  STAGES,
  type Stage,
  type StageRunner,
  type Verdict,
} from '../core/exchange.ts';
import type { Clock, Logger } from '../core/ports.ts';
import { fault, type Refusal, statusOf } from '../core/refusal.ts';
import { resetConnection } from '../core/reset-connection.ts';
import type { Responder } from './respond.ts';

/** Runs exchanges through the stages. */
export interface Pipeline extends StageRunner {
  /** Starts an exchange at the first stage. */
  accept(exchange: Exchange): void;
  /** Ends an exchange: its connection is gone, or its answer out. Of no effect the second time. */
  settle(exchange: Exchange): void;
}

/** Counts what is under way, over all the pipelines that reloads have put in place. */
export interface Traffic {
  /** Exchanges accepted and not yet settled. */
  inFlight: number;
}

/**
 * Milliseconds that one stage may take before the request is given up, the client's not counted. Stages that fetch have shorter limits
 * of their own.
 */
const STAGE_DEADLINE = 30_000;

/**
 * Makes the one path that ordinary requests and upgrades share. A stage that throws, rejects, hangs or answers twice ends
 * in one refusal; nothing after it runs, so no upstream connection is opened. `observe`, the last stage, runs for every
 * exchange once it is settled, refused or not.
 *
 * @param stages all of them, in order
 */
export function createPipeline(
  stages: readonly Stage[],
  responder: Responder,
  clock: Clock,
  logger: Logger,
  traffic: Traffic,
): Pipeline {
  const names = stages.map((stage) => stage.name).join(' ');
  if (names !== STAGES.join(' ')) throw new Error(`stages out of order: ${names}`);
  const observe = stages[stages.length - 1] as Stage;
  const last = stages.length - 1;
  const signIndex = STAGES.indexOf('sign');
  const sendIndex = STAGES.indexOf('send');

  const advance = (exchange: Exchange, from: number): void => {
    for (let i = from; i < last; i++) {
      if (isOver(exchange)) return;
      let verdict: Verdict | Promise<Verdict>;
      try {
        verdict = (stages[i] as Stage).run(exchange);
      } catch (error) {
        verdict = fault('INTERNAL_ERROR', error);
      }
      if (verdict === undefined) continue;
      if (verdict instanceof Promise) {
        wait(exchange, verdict, i);
        return;
      }
      conclude(exchange, verdict, i);
      return;
    }
    refuse(exchange, fault('INTERNAL_ERROR', new Error('no stage has answered')));
  };

  /** A verdict that comes too late changes nothing: what is over stays so. */
  const wait = (exchange: Exchange, verdict: Promise<Verdict>, at: number): void => {
    const begin = (): void => {
      exchange.deadline = clock.after(STAGE_DEADLINE, expire);
    };
    const expire = (): void => {
      if (exchange.waitsForClient) begin();
      else refuse(exchange, fault('INTERNAL_ERROR', new Error(`the stage ${STAGES[at]} has not answered`)));
    };
    begin();
    const proceed = (result: Verdict): void => {
      exchange.deadline?.cancel();
      exchange.deadline = null;
      if (result === undefined) advance(exchange, at + 1);
      else conclude(exchange, result, at);
    };
    verdict.then(proceed, (error: unknown) => proceed(fault('INTERNAL_ERROR', error)));
  };

  /** Only `send` takes a request over. What is no verdict refuses, like every other failure of a stage. */
  const conclude = (exchange: Exchange, verdict: Exclude<Verdict, undefined>, at: number): void => {
    if (verdict === HANDED_OVER && at === sendIndex) return;
    if (isReply(verdict)) reply(exchange, verdict);
    else if (isRefusal(verdict)) refuse(exchange, verdict);
    else refuse(exchange, fault('INTERNAL_ERROR', new Error(`the stage ${STAGES[at]} gave no verdict`)));
  };

  const reply = (exchange: Exchange, answer: Reply): void => {
    if (isOver(exchange)) return;
    exchange.status = answer.status;
    try {
      responder.reply(exchange, answer);
    } catch (error) {
      abandon(exchange, error);
    }
  };

  const refuse = (exchange: Exchange, refusal: Refusal): void => {
    if (exchange.settled || exchange.refusal !== null) return;
    exchange.refusal = refusal;
    exchange.sending?.cancel();
    exchange.sending = null;
    if (exchange.response.headersSent || exchange.status === 101) {
      // An answer has begun: cutting it short is the one way left to say that it is not complete.
      cut(exchange);
      return;
    }
    exchange.status = statusOf(refusal);
    try {
      responder.refuse(exchange, refusal);
    } catch (error) {
      abandon(exchange, error);
    }
  };

  const abandon = (exchange: Exchange, error: unknown): void => {
    logger.error({ requestId: exchange.requestId, err: error }, 'the answer could not be written');
    cut(exchange);
  };

  const notObserved = (exchange: Exchange, error: unknown): void => {
    logger.error({ requestId: exchange.requestId, err: error }, 'the request could not be observed');
  };

  return {
    accept(exchange) {
      traffic.inFlight += 1;
      advance(exchange, 0);
    },
    refuse,
    retry(exchange, attempt) {
      if (isOver(exchange)) return;
      if (attempt !== exchange.attempts || attempt === exchange.retried) {
        refuse(exchange, fault('INTERNAL_ERROR', new Error('a retry out of turn')));
        return;
      }
      exchange.retried = attempt;
      advance(exchange, signIndex);
    },
    settle(exchange) {
      if (exchange.settled) return;
      exchange.settled = true;
      traffic.inFlight -= 1;
      if (!exchange.response.writableFinished && exchange.status !== 101) {
        exchange.sending?.cancel();
        if (exchange.status === 0) exchange.status = 499;
      }
      exchange.sending = null;
      try {
        const result = observe.run(exchange);
        if (result instanceof Promise) result.catch((error: unknown) => notObserved(exchange, error));
      } catch (error) {
        notObserved(exchange, error);
      }
    },
  };
}

/** Nothing more is to be done: an answer has begun, or nobody waits for one. */
function isOver(exchange: Exchange): boolean {
  return exchange.settled || exchange.status !== 0;
}

function isReply(verdict: Exclude<Verdict, undefined>): verdict is Reply {
  return kindOf(verdict) === 'reply';
}

function isRefusal(verdict: Exclude<Verdict, undefined>): verdict is Refusal {
  const kind = kindOf(verdict);
  return (kind === 'deny' || kind === 'fault') && Object.hasOwn(ERRORS, (verdict as Refusal).code);
}

/** Whatever the types say, it may be anything. */
function kindOf(verdict: Exclude<Verdict, undefined> | null): unknown {
  return (verdict as { readonly kind?: unknown } | null)?.kind;
}

function cut(exchange: Exchange): void {
  const { request, response, tunnel } = exchange;
  if (request.httpVersionMinor === 0 && response.socket !== null) resetConnection(response.socket);
  response.destroy();
  tunnel?.socket.destroy();
}
