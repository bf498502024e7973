import cluster from 'node:cluster';
import type { Config } from '../config/schema/config.ts';
import { type Clock, type FetchKeyDocument, KeysAbsentError, type Logger } from '../core/ports.ts';
import type { RateQuestion, Tally } from '../core/rate-limit.ts';
import { handOnConnections } from './hand-on-connections.ts';
import type { KeysAnswer, ToPrimary, ToWorker, WorkerAnswer, WorkerSettings } from './worker-messages.ts';

/** One worker, as the primary sees it. */
export interface WorkerProcess {
  readonly pid: number | undefined;
  /** The port, once it listens; rejects when it cannot, or ends before. */
  readonly listening: Promise<number>;
  /** Whether it has had all keys once. */
  readonly ready: boolean;
  /** What it has last handed in, as prom-client's JSON. */
  readonly metrics: readonly object[];
  readonly exited: Promise<WorkerExit>;
  /** Has it hand in its metrics. One that does not answer in time must not keep the scrape waiting. */
  collect(): Promise<void>;
  /** Its own metrics, for the status page; those it has last told when it does not answer in time. */
  sample(): Promise<readonly object[]>;
  /** Resolves when it has taken the configuration over; rejects when it cannot, or does not answer. */
  reload(config: Config): Promise<void>;
  /** Has it stop in its own good time. */
  stop(): void;
  kill(): void;
}

export interface WorkerExit {
  readonly code: number | null;
  readonly signal: string | null;
}

export interface WorkerContext {
  readonly fetchKeys: FetchKeyDocument;
  /** Counts a request, for all workers together. */
  readonly takeRate: (question: RateQuestion) => Tally;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told when a worker has had all keys once. */
  readonly onReady: () => void;
}

/** Milliseconds a worker has to hand in its metrics. */
const COLLECT_DEADLINE = 1_000;

/** Milliseconds a worker has to take a configuration over. */
const RELOAD_DEADLINE = 10_000;

/** Starts a worker; `cluster.setupPrimary` has named its module. */
export function startWorker(initial: WorkerSettings, context: WorkerContext): WorkerProcess {
  const { clock, logger } = context;
  const worker = cluster.fork();
  handOnConnections(worker);
  const { pid } = worker.process;
  const listening = Promise.withResolvers<number>();
  const exited = Promise.withResolvers<WorkerExit>();
  const asked = new Map<number, (answer: WorkerAnswer | null) => void>();
  let settings = initial;
  let online = false;
  let ready = false;
  let metrics: readonly object[] = [];
  let sampled: readonly object[] = [];
  let questions = 0;

  const tell = (message: ToWorker): void => {
    if (worker.isConnected()) worker.send(message);
  };

  /** Null when there is no answer within the deadline, or never will be. */
  const ask = (deadline: number, question: (id: number) => ToWorker): Promise<WorkerAnswer | null> =>
    new Promise((resolve) => {
      const id = questions++;
      const timer = clock.after(deadline, () => asked.get(id)?.(null));
      asked.set(id, (answer) => {
        timer.cancel();
        asked.delete(id);
        resolve(answer);
      });
      tell(question(id));
    });

  const end = (exit: WorkerExit): void => {
    for (const answer of [...asked.values()]) answer(null);
    listening.reject(new Error(`worker ${pid} ended before it listened (${exit.signal ?? exit.code})`));
    exited.resolve(exit);
  };

  worker.on('message', (message: ToPrimary) => {
    switch (message.kind) {
      case 'online':
        online = true;
        tell({ kind: 'start', ...settings });
        break;
      case 'listening':
        listening.resolve(message.port);
        break;
      case 'failed':
        listening.reject(new Error(message.reason));
        break;
      case 'ready':
        ready = true;
        context.onReady();
        break;
      case 'fetchKeys':
        void answerKeys(context.fetchKeys, message.url, message.timeout).then((answer) =>
          tell({ kind: 'keys', id: message.id, answer }),
        );
        break;
      case 'takeRates':
        tell({ kind: 'rates', id: message.id, tallies: message.questions.map(context.takeRate) });
        break;
      case 'collected':
        metrics = message.metrics;
        asked.get(message.id)?.(message);
        break;
      case 'sampled':
        sampled = message.metrics;
        asked.get(message.id)?.(message);
        break;
      case 'reloaded':
        asked.get(message.id)?.(message);
        break;
    }
  });
  worker.on('exit', (code, signal) => end({ code, signal }));
  // A message to a worker that is just dying, or a fork that the system refuses: its end is told by `exited`.
  worker.on('error', (error) => {
    logger.warn({ worker: pid, err: error }, 'a worker could not be reached');
    if (pid === undefined) end({ code: null, signal: null });
  });

  return {
    pid,
    listening: listening.promise,
    exited: exited.promise,
    get ready() {
      return ready;
    },
    get metrics() {
      return metrics;
    },
    async collect() {
      if (online) await ask(COLLECT_DEADLINE, (id) => ({ kind: 'collect', id }));
    },
    async sample() {
      if (online) await ask(COLLECT_DEADLINE, (id) => ({ kind: 'sample', id }));
      return sampled;
    },
    async reload(config) {
      settings = { ...settings, config };
      if (!online) return;
      const answer = await ask(RELOAD_DEADLINE, (id) => ({ kind: 'reload', id, config }));
      if (answer?.kind !== 'reloaded') throw new Error(`worker ${pid} does not answer`);
      if (answer.refused !== null) throw new Error(answer.refused);
    },
    stop: () => tell({ kind: 'stop' }),
    kill: () => void worker.process.kill('SIGKILL'),
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
