import type { Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { availableParallelism } from 'node:os';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createAdmin } from './admin.ts';
import { createKeyDocumentFetcher } from './authenticate/fetch-key-document.ts';
import type { Config } from './config/schema/config.ts';
import type { Clock, ProcessLogger } from './core/ports.ts';
import type { ServiceAddresses, ServiceOverrides } from './core/service.ts';
import { systemClock } from './core/system-clock.ts';
import { createGateway } from './gateway.ts';
import { createRateStore } from './limit/create-rate-store.ts';
import { createMemoryStore } from './limit/memory-store.ts';
import { shareKeyFetches } from './listen/share-key-fetches.ts';
import { createWorkerGroup } from './listen/worker-group.ts';
import {
  combineMetrics,
  combineSamples,
  type Exposition,
  exposition,
  mergeMetrics,
  sampleOwn,
} from './observe/combine-metrics.ts';
import { createRateEntriesMetric } from './observe/limit-metrics.ts';
import { createLogger } from './observe/logger.ts';
import { createRegistry } from './observe/metrics.ts';
import { createReloadMetrics } from './observe/reload-metrics.ts';

/** A proxy with its admin port, in one process or several. */
export interface Service {
  start(): Promise<ServiceAddresses>;
  /** Takes over a checked configuration; rejects when it cannot, and the one in force stays. */
  reload(config: Config): Promise<void>;
  /** Counts a configuration that was read and not taken over. */
  reloadFailed(): void;
  /** Unready at once, then as `server.shutdown` says. */
  stop(): Promise<void>;
}

/** What serves the public port: this process, or workers. */
interface Server {
  start(): Promise<number>;
  ready(): boolean;
  reload(config: Config): void | Promise<void>;
  metrics(): Promise<Exposition>;
  /** What of them is our own, as prom-client's JSON. */
  sample(): Promise<readonly object[]>;
  stop(): Promise<void>;
}

/** Wires a service; nothing is opened before `start`. */
export function createService(initial: Config, overrides: ServiceOverrides = {}): Service {
  let config = initial;
  const clock = overrides.clock ?? systemClock;
  const logger = overrides.logger ?? createLogger(config.log.level, { shared: config.server.workers !== 1 });
  const own = createRegistry();
  const reloads = createReloadMetrics(own, () => clock.now() / 1000);
  const server = createServerFor(config, own, { clock, logger, overrides });
  let stopping = false;
  const admin = createAdmin({
    clock,
    logger,
    config: () => config,
    phase: () => (stopping ? 'stopping' : server.ready() ? 'ready' : 'starting'),
    metrics: () => server.metrics(),
    sample: () => server.sample(),
  });

  return {
    async start() {
      const adminPort = await listen(admin.server, config.admin.listen);
      const port = await server.start().catch(async (error: unknown) => {
        await close(admin.server);
        throw error;
      });
      admin.start();
      const scheme = config.server.tls === null ? 'http' : 'https';
      return {
        proxy: `${scheme}://${reachable(config.server.listen.host)}:${port}`,
        admin: `http://${reachable(config.admin.listen.host)}:${adminPort}`,
      };
    },
    async reload(next) {
      await server.reload(next);
      config = next;
      logger.setLevel(next.log.level);
      reloads.reloaded('success');
    },
    reloadFailed: () => reloads.reloaded('failure'),
    async stop() {
      stopping = true;
      await server.stop();
      admin.stop();
      await close(admin.server);
      await logger.flush();
    },
  };
}

function createServerFor(
  config: Config,
  own: ReturnType<typeof createRegistry>,
  context: { readonly clock: Clock; readonly logger: ProcessLogger; readonly overrides: ServiceOverrides },
): Server {
  const { clock, logger, overrides } = context;
  const dev = overrides.dev ?? false;
  const fetchKeys = createKeyDocumentFetcher(overrides.environment ?? {});
  const workers = config.server.workers === 'auto' ? availableParallelism() : config.server.workers;
  const counts = createMemoryStore(config.rateLimits.entries, clock);
  createRateEntriesMetric(own, () => counts.entries);
  if (workers === 1) {
    const gateway = createGateway(config, {
      clock,
      logger,
      fetchKeys,
      dev,
      environment: overrides.environment ?? {},
      workers,
      registry: own,
      rateStore: createRateStore(config.rateLimits, clock, counts),
    });
    return { ...gateway, metrics: () => exposition(own), sample: () => sampleOwn(own) };
  }
  const group = createWorkerGroup({
    workers,
    config,
    dev,
    module: fileURLToPath(new URL(`./worker${extname(import.meta.url)}`, import.meta.url)),
    fetchKeys: shareKeyFetches(fetchKeys, clock),
    takeRate: counts.take,
    clock,
    logger,
    mergeMetrics,
  });
  return {
    ...group,
    metrics: async () => combineMetrics(await group.collect(), own),
    sample: async () => combineSamples(await group.sample(), own),
  };
}

function listen(server: HttpServer, at: { host: string; port: number }): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(at.port, at.host, () => {
      server.removeListener('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function close(server: HttpServer): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** An address to connect to, for one that means all of this machine's. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}
