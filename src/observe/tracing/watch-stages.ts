import type { Exchange, Stage, StageName, Verdict } from '../../core/exchange.ts';
import type { Logger } from '../../core/ports.ts';
import { fault } from '../../core/refusal.ts';
import { Recording } from './recording.ts';

/** Stages that have a span of their own. */
const SPANNED: ReadonlySet<StageName> = new Set(['authenticate', 'authorize', 'prepare', 'sign']);

/**
 * Puts a watch around the stages: what each returns, throws or promises is what it did, and is only looked at. A request's
 * recording begins when its canonical form is there, dated back to when it came, and ends when it is settled.
 */
export function watchStages(
  stages: readonly Stage[],
  begin: (exchange: Exchange) => Recording,
  logger: Logger,
): Stage[] {
  /** Whatever goes wrong with a recording ends it, and nothing else. */
  const attempt = <T>(exchange: Exchange, act: (recording: Recording) => T): T | null => {
    try {
      return exchange.trace instanceof Recording ? act(exchange.trace) : null;
    } catch (error) {
      exchange.trace = null;
      logger.error({ requestId: exchange.requestId, err: error }, 'the request could not be traced');
      return null;
    }
  };

  const start = (exchange: Exchange): void => {
    try {
      exchange.trace = begin(exchange);
    } catch (error) {
      logger.error({ requestId: exchange.requestId, err: error }, 'the request could not be traced');
    }
  };

  const watchers: Readonly<Partial<Record<StageName, (stage: Stage) => Stage['run']>>> = {
    canonicalize: (stage) => (exchange) => {
      try {
        return stage.run(exchange);
      } finally {
        start(exchange);
      }
    },
    send: (stage) => (exchange) => {
      attempt(exchange, (recording) => recording.beginAttempt());
      return stage.run(exchange);
    },
    observe: (stage) => (exchange) => {
      attempt(exchange, (recording) => recording.finish());
      return stage.run(exchange);
    },
  };

  const spanned =
    (stage: Stage): Stage['run'] =>
    (exchange) => {
      const span = attempt(exchange, (recording) => recording.beginStage(stage.name));
      if (span === null) return stage.run(exchange);
      const end = (verdict: Verdict): void => {
        attempt(exchange, (recording) => recording.endStage(span, stage.name, verdict));
      };
      let verdict: Verdict | Promise<Verdict>;
      try {
        verdict = stage.run(exchange);
      } catch (error) {
        end(fault('INTERNAL_ERROR', error));
        throw error;
      }
      if (verdict instanceof Promise)
        verdict.then(end, (error: unknown) => end(fault('INTERNAL_ERROR', error)));
      else end(verdict);
      return verdict;
    };

  return stages.map((stage) => {
    const run = SPANNED.has(stage.name) ? spanned(stage) : watchers[stage.name]?.(stage);
    return run === undefined ? stage : { ...stage, run };
  });
}
