import { type FetchedDocument, KeysAbsentError } from './core/ports.ts';
import { systemClock } from './core/system-clock.ts';
import { createGateway, type Gateway } from './gateway.ts';
import { createRateStore } from './limit/create-rate-store.ts';
import { createPrimaryStore } from './limit/primary-store.ts';
import type { KeysAnswer, ToPrimary, ToWorker } from './listen/worker-messages.ts';
import { createLogger } from './observe/logger.ts';
import { createRegistry } from './observe/metrics.ts';

/**
 * A worker process: a gateway that is configured, supplied with keys and stopped by the primary. Signals meant for the
 * group reach the primary, which says what is to be done.
 */
function runWorker(): void {
  const tell = (message: ToPrimary): void => void process.send?.(message);
  const asked = new Map<number, (answer: KeysAnswer) => void>();
  const registry = createRegistry();
  let questions = 0;
  let gateway: Gateway | null = null;

  const fetchKeys = (url: string, timeout: number): Promise<FetchedDocument> =>
    new Promise((resolve, reject) => {
      const id = questions++;
      asked.set(id, (answer) => {
        asked.delete(id);
        if (answer.kind === 'document') resolve(answer);
        else reject(answer.kind === 'absent' ? new KeysAbsentError(answer.reason) : new Error(answer.reason));
      });
      tell({ kind: 'fetchKeys', id, url, timeout });
    });

  const primaryStore = createPrimaryStore((id, questions) => tell({ kind: 'takeRates', id, questions }));

  const open = async (message: ToWorker & { kind: 'configure' }): Promise<void> => {
    const logger = createLogger(message.config.log.level);
    gateway = createGateway(message.config, {
      clock: systemClock,
      logger,
      fetchKeys,
      dev: message.dev,
      environment: process.env,
      workers: message.workers,
      registry,
      rateStore: createRateStore(message.config.rateLimits, systemClock, primaryStore),
    });
    void gateway.whenReady.then(() => tell({ kind: 'ready' }));
    try {
      tell({ kind: 'listening', port: await gateway.start() });
    } catch (error) {
      tell({ kind: 'failed', reason: error instanceof Error ? error.message : String(error) });
    }
  };

  process.on('message', (message: ToWorker) => {
    switch (message.kind) {
      case 'configure':
        if (gateway === null) void open(message);
        else gateway.reload(message.config);
        break;
      case 'collect':
        void registry
          .getMetricsAsJSON()
          .then((metrics) => tell({ kind: 'collected', id: message.id, metrics }));
        break;
      case 'keys':
        asked.get(message.id)?.(message.answer);
        break;
      case 'rates':
        primaryStore.answered(message.id, message.tallies);
        break;
      case 'stop':
        void (gateway?.stop() ?? Promise.resolve()).then(() => process.exit(0));
        break;
    }
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
  tell({ kind: 'online' });
}

runWorker();
