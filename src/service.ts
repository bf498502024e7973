import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createKeyDocumentFetcher } from './authenticate/fetch-key-document.ts';
import type { Config } from './config/schema/config.ts';
import type { ServiceAddresses, ServiceOverrides } from './core/service.ts';
import { systemClock } from './core/system-clock.ts';
import { createGateway, type Gateway } from './gateway.ts';
import { createAdminApp } from './observe/admin-app.ts';
import { createLogger } from './observe/logger.ts';
import { summarizeRoutes } from './observe/summarize-routes.ts';

/** A proxy with its admin port, in one process or several. */
export interface Service {
  start(): Promise<ServiceAddresses>;
  /** Takes over a checked configuration; throws when it cannot, and the one in force stays. */
  reload(config: Config): void;
  /** Counts a configuration that was not taken over. */
  reloadFailed(): void;
  stop(): Promise<void>;
}

/** Wires a service; nothing is opened before `start`. */
export function createService(initial: Config, overrides: ServiceOverrides = {}): Service {
  let config = initial;
  const clock = overrides.clock ?? systemClock;
  const logger = overrides.logger ?? createLogger(config.log.level);
  const gateway: Gateway = createGateway(config, {
    clock,
    logger,
    fetchKeys: createKeyDocumentFetcher(overrides.environment ?? {}),
    dev: overrides.dev ?? false,
    workers: 1,
  });
  const { registry } = gateway.metrics;
  const admin = createServer(
    createAdminApp({
      ready: () => gateway.ready(),
      metrics: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
      routes: () => summarizeRoutes(config),
    }),
  );

  return {
    async start() {
      const adminPort = await listen(admin, config.admin.listen);
      const port = await gateway.start();
      const scheme = config.server.tls === null ? 'http' : 'https';
      return {
        proxy: `${scheme}://${reachable(config.server.listen.host)}:${port}`,
        admin: `http://${reachable(config.admin.listen.host)}:${adminPort}`,
      };
    },
    reload(next) {
      gateway.reload(next);
      config = next;
      gateway.metrics.reloaded('success');
    },
    reloadFailed: () => gateway.metrics.reloaded('failure'),
    async stop() {
      await gateway.stop();
      await new Promise((resolve) => {
        admin.close(resolve);
        admin.closeAllConnections();
      });
    },
  };
}

function listen(
  server: ReturnType<typeof createServer>,
  at: { host: string; port: number },
): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(at.port, at.host, () => {
      server.removeListener('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** An address to connect to, for one that means all of this machine's. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}
