import cluster, { type Worker } from 'node:cluster';
import type { Config } from '../config/schema/config.ts';
import { type Clock, type FetchKeyDocument, KeysAbsentError, type Logger } from '../core/ports.ts';
import type { RateQuestion, Tally } from '../core/rate-limit.ts';
import type { KeysAnswer, ToPrimary, ToWorker } from './worker-messages.ts';

/** Processes that share the public port, kept alive and supplied by the primary. */
export interface WorkerGroup {
  /** Resolves with the port when all listen; rejects when one cannot. */
  start(): Promise<number>;
  ready(): boolean;
  reload(config: Config): void;
  /** The metrics of all workers, each as prom-client's JSON; also of counters of workers that have died. */
  collect(): Promise<readonly (readonly object[])[]>;
  /** Has every worker stop in its own good time, and resolves when all are gone. */
  stop(): Promise<void>;
}

export interface WorkerGroupOptions {
  readonly workers: number;
  readonly config: Config;
  readonly dev: boolean;
  /** The module that a worker process runs. */
  readonly module: string;
  readonly fetchKeys: FetchKeyDocument;
  /** Counts requests, for all workers together. */
  readonly takeRate: (question: RateQuestion) => Tally;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Milliseconds a worker has to hand in its metrics; one that is stuck must not keep the scrape waiting. */
const COLLECT_DEADLINE = 1_000;

/** Milliseconds before a worker that died is replaced: at once, then longer while they keep dying. */
const RESTART_DELAYS = [0, 1_000, 2_000, 5_000, 10_000];

/** Milliseconds a worker must live for its death to count as the first. */
const SOUND_LIFE = 60_000;

interface Member {
  readonly worker: Worker;
  readonly startedAt: number;
  ready: boolean;
  metrics: readonly object[];
}

export function createWorkerGroup(options: WorkerGroupOptions): WorkerGroup {
  const { clock, logger } = options;
  const members = new Set<Member>();
  const collecting = new Map<number, (metrics: readonly object[]) => void>();
  const departed: (readonly object[])[] = [];
  let config = options.config;
  let collections = 0;
  let earlyDeaths = 0;
  let stopping = false;
  let everReady = false;

  const tell = (worker: Worker, message: ToWorker): void => {
    if (worker.isConnected()) worker.send(message);
  };

  const fork = (onListening: (port: number) => void, onFailed: (error: Error) => void): void => {
    const worker = cluster.fork();
    const member: Member = { worker, startedAt: clock.monotonic(), ready: false, metrics: [] };
    members.add(member);
    worker.on('message', (message: ToPrimary) => {
      switch (message.kind) {
        case 'online':
          tell(worker, { kind: 'configure', config, dev: options.dev, workers: options.workers });
          break;
        case 'listening':
          onListening(message.port);
          break;
        case 'failed':
          onFailed(new Error(message.reason));
          break;
        case 'ready':
          member.ready = true;
          break;
        case 'collected':
          member.metrics = message.metrics;
          collecting.get(message.id)?.(message.metrics);
          break;
        case 'takeRates':
          tell(worker, { kind: 'rates', id: message.id, tallies: message.questions.map(options.takeRate) });
          break;
        case 'fetchKeys':
          void answerKeys(options.fetchKeys, message.url, message.timeout).then((answer) =>
            tell(worker, { kind: 'keys', id: message.id, answer }),
          );
          break;
      }
    });
    worker.on('exit', (code, signal) => {
      members.delete(member);
      departed.push(member.metrics.filter(isCumulative));
      if (stopping) return;
      logger.error({ worker: worker.process.pid, exitCode: code, signal }, 'a worker died and is replaced');
      earlyDeaths = clock.monotonic() - member.startedAt < SOUND_LIFE ? earlyDeaths + 1 : 0;
      const delay = RESTART_DELAYS[Math.min(earlyDeaths, RESTART_DELAYS.length - 1)] ?? 0;
      clock.after(delay, () => {
        if (!stopping) fork(ignore, (error) => logger.error({ err: error }, 'a worker could not start'));
      });
    });
  };

  return {
    async start() {
      cluster.setupPrimary({ exec: options.module, args: [] });
      const ports = await Promise.all(
        Array.from(
          { length: options.workers },
          () => new Promise<number>((resolve, reject) => fork(resolve, reject)),
        ),
      );
      return ports[0] as number;
    },
    ready() {
      const ready = [...members].filter((member) => member.ready);
      // All of them at first; later a replacement that is still fetching keys does not take the others down with it.
      everReady ||= ready.length === options.workers;
      return !stopping && everReady && ready.length > 0;
    },
    reload(next) {
      config = next;
      for (const { worker } of members) {
        tell(worker, { kind: 'configure', config, dev: options.dev, workers: options.workers });
      }
    },
    async collect() {
      const results = [...members].map(
        ({ worker }) =>
          new Promise<readonly object[]>((resolve) => {
            const id = collections++;
            const timer = clock.after(COLLECT_DEADLINE, () => finish([]));
            const finish = (metrics: readonly object[]): void => {
              timer.cancel();
              collecting.delete(id);
              resolve(metrics);
            };
            collecting.set(id, finish);
            tell(worker, { kind: 'collect', id });
          }),
      );
      return [...(await Promise.all(results)), ...departed];
    },
    async stop() {
      stopping = true;
      await Promise.all(
        [...members].map(
          ({ worker }) =>
            new Promise<void>((resolve) => {
              worker.on('exit', () => resolve());
              tell(worker, { kind: 'stop' });
            }),
        ),
      );
    },
  };
}

async function answerKeys(fetch: FetchKeyDocument, url: string, timeout: number): Promise<KeysAnswer> {
  try {
    return { kind: 'document', ...(await fetch(url, timeout)) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { kind: error instanceof KeysAbsentError ? 'absent' : 'failed', reason };
  }
}

/** Counters and histograms of a worker that died still count: a sum that falls would look like a restart of all. */
function isCumulative(metric: object): boolean {
  return 'type' in metric && (metric.type === 'counter' || metric.type === 'histogram');
}

function ignore(): void {
  // A replacement listens where the others do.
}
