import type { ProcessLogger } from './core/ports.ts';
import { systemClock } from './core/system-clock.ts';
import { createGateway, type Gateway } from './gateway.ts';
import { createRateStore } from './limit/create-rate-store.ts';
import { createPrimaryStore } from './limit/primary-store.ts';
import { createPrimaryKeys } from './listen/ask-primary.ts';
import type { ToPrimary, ToWorker, WorkerSettings } from './listen/worker-messages.ts';
import { sampleOwn } from './observe/combine-metrics.ts';
import { createLogger } from './observe/logger.ts';
import { createRegistry } from './observe/metrics.ts';
import { tuneYoungGeneration } from './young-generation.ts';

/**
 * A worker process: a gateway that is configured, supplied with keys and stopped by the primary. Signals meant for the
 * group reach the primary, which says what is to be done. Without its primary a worker ends, by node's own doing.
 */
function runWorker(): void {
  const tell = (message: ToPrimary): void => void process.send?.(message);
  const registry = createRegistry();
  let logger: ProcessLogger | null = null;
  let gateway: Gateway | null = null;

  const primaryKeys = createPrimaryKeys(tell, systemClock);
  const primaryStore = createPrimaryStore((id, asked) => tell({ kind: 'takeRates', id, questions: asked }));

  const start = async (settings: WorkerSettings): Promise<void> => {
    tuneYoungGeneration();
    const { config, dev, workers } = settings;
    logger = createLogger(config.log.level, { shared: true });
    try {
      gateway = createGateway(config, {
        clock: systemClock,
        logger,
        fetchKeys: primaryKeys.fetch,
        dev,
        environment: process.env,
        workers,
        registry,
        rateStore: createRateStore(config.rateLimits, systemClock, primaryStore),
      });
      void gateway.whenReady.then(() => tell({ kind: 'ready' }));
      tell({ kind: 'listening', port: await gateway.start() });
    } catch (error) {
      process.send?.({ kind: 'failed', reason: reasonOf(error) } satisfies ToPrimary, () => process.exit(1));
    }
  };

  const reload = (message: ToWorker & { kind: 'reload' }): void => {
    let refused: string | null = null;
    try {
      gateway?.reload(message.config);
    } catch (error) {
      refused = reasonOf(error);
    }
    tell({ kind: 'reloaded', id: message.id, refused });
  };

  const end = async (code: number): Promise<void> => {
    await logger?.flush();
    process.exit(code);
  };

  process.on('message', (message: ToWorker) => {
    switch (message.kind) {
      case 'start':
        void start(message);
        break;
      case 'reload':
        reload(message);
        break;
      case 'collect':
        void registry
          .getMetricsAsJSON()
          .then((metrics) => tell({ kind: 'collected', id: message.id, metrics }));
        break;
      case 'sample':
        void sampleOwn(registry).then((metrics) => tell({ kind: 'sampled', id: message.id, metrics }));
        break;
      case 'keys':
        primaryKeys.answered(message.id, message.answer);
        break;
      case 'rates':
        primaryStore.answered(message.id, message.tallies);
        break;
      case 'stop':
        void (gateway?.stop() ?? Promise.resolve()).then(() => end(0));
        break;
    }
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
  process.on('uncaughtException', (error) => {
    logger?.error({ err: error }, 'a worker failed');
    process.stderr.write(`cognito-auth-proxy worker ${process.pid}: ${error.stack}\n`);
    void end(1);
  });
  tell({ kind: 'online' });
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

runWorker();
