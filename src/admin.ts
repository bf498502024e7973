import type { Server } from 'node:http';
import { type PrintedConfig, printConfig } from './config/print.ts';
import type { Config } from './config/schema/config.ts';
import type { Clock, Logger } from './core/ports.ts';
import { describeExplanation } from './describe-explanation.ts';
import { createExplainer, type Explain } from './explain.ts';
import { createAdminServer } from './listen/admin-server.ts';
import { createAdminApp } from './observe/admin-app.ts';
import type { Exposition } from './observe/combine-metrics.ts';
import { createStatusBoard } from './observe/status/board.ts';
import type { Phase } from './observe/status/view.ts';
import { summarizeRoutes } from './observe/summarize-routes.ts';

/** The admin port, before it is opened, and what it keeps an eye on. */
export interface Admin {
  readonly server: Server;
  /** Begins to follow how the service is doing. */
  start(): void;
  stop(): void;
}

export interface AdminOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** The configuration in force. */
  readonly config: () => Config;
  readonly phase: () => Phase;
  /** The exposition of all processes. */
  readonly metrics: () => Promise<Exposition>;
  /** Our own metrics of all processes, as prom-client's JSON. */
  readonly sample: () => Promise<readonly object[]>;
}

/** Wires the admin port. What is made of a configuration is made when it is first asked for. */
export function createAdmin(options: AdminOptions): Admin {
  const { clock, config } = options;
  const onFailure = (error: unknown): void =>
    options.logger.error({ err: error }, 'the admin port could not answer');
  const board = createStatusBoard({ ...options, onFailure });
  const printed = derived<PrintedConfig>(config, printConfig);
  const explainer = derived<Explain>(config, createExplainer);
  const app = createAdminApp({
    ready: () => options.phase() === 'ready',
    metrics: options.metrics,
    routes: () => summarizeRoutes(config()),
    board,
    fingerprint: () => printed().fingerprint,
    configuration: () => printed().text,
    explain(asked) {
      const now = clock.now() / 1000;
      const json = explainer()({ ...asked, now });
      return { json, text: describeExplanation(json, now) };
    },
    onFailure,
  });
  return { server: createAdminServer(app, options), start: () => board.start(), stop: () => board.stop() };
}

/** What is made of the configuration in force, kept until there is another. */
function derived<T>(config: () => Config, make: (config: Config) => T): () => T {
  let kept: { readonly of: Config; readonly value: T } | null = null;
  return () => {
    const of = config();
    if (kept?.of !== of) kept = { of, value: make(of) };
    return kept.value;
  };
}
