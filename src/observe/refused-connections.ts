import { ERRORS } from '../core/errors.ts';
import type { RefusedConnection } from '../core/observer.ts';
import type { ProcessLogger } from '../core/ports.ts';
import type { Metrics } from './metrics.ts';

/** Counts and logs what never becomes an exchange: there is an answer with a request id, but neither route nor path. */
export function createRefusedConnectionObserver(
  metrics: Metrics,
  logger: ProcessLogger,
): (refused: RefusedConnection) => void {
  return ({ code, requestId, client }) => {
    metrics.connectionRefused(code);
    const { level, status } = ERRORS[code];
    if (!logger.enabled(level)) return;
    logger[level]({ requestId, status, decision: 'deny', code, client }, 'connection refused');
  };
}
