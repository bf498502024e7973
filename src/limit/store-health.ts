import type { Clock, Logger } from '../core/ports.ts';

/** Milliseconds without a failure after which a store counts as back: one that comes and goes must not fill the log. */
const CALM = 5_000;

/** Says in the log when a store goes away and when it is back. */
export interface StoreHealth {
  succeeded(): void;
  failed(error: unknown): void;
}

export function createStoreHealth(clock: Clock, logger: Logger): StoreHealth {
  let away = false;
  let lastFailure = 0;
  return {
    succeeded() {
      if (!away || clock.monotonic() - lastFailure < CALM) return;
      away = false;
      logger.info({}, 'the store of rate limits answers again');
    },
    failed(error) {
      lastFailure = clock.monotonic();
      if (away) return;
      away = true;
      logger.error({ err: error }, 'the store of rate limits does not answer');
    },
  };
}
