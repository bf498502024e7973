import cluster from 'node:cluster';
import type { Config } from '../config/schema/config.ts';
import type { WorkerSettings } from './worker-messages.ts';
import { startWorker, type WorkerContext, type WorkerExit, type WorkerProcess } from './worker-process.ts';

/** Processes that share the public port, kept alive and supplied by the primary. */
export interface WorkerGroup {
  /** Resolves with the port when all listen; rejects when one cannot, and none is left then. */
  start(): Promise<number>;
  ready(): boolean;
  /** Resolves when all have taken the configuration over; when one cannot, all keep the last one. */
  reload(config: Config): Promise<void>;
  /** The metrics of all workers, each as prom-client's JSON; also the counters of workers that have died. */
  collect(): Promise<readonly (readonly object[])[]>;
  /** The same without what the processes and Node tell, for the status page. */
  sample(): Promise<readonly (readonly object[])[]>;
  /** Has every worker stop in its own good time, and resolves when all are gone. */
  stop(): Promise<void>;
}

export interface WorkerGroupOptions extends WorkerSettings, Omit<WorkerContext, 'onReady'> {
  /** The module that a worker process runs. */
  readonly module: string;
  /** Makes one list of metrics of several. */
  readonly mergeMetrics: (lists: readonly (readonly object[])[]) => readonly object[];
}

/** Milliseconds before a worker that died is replaced: at once, then longer while they keep dying. */
const RESTART_DELAYS = [0, 1_000, 2_000, 5_000, 10_000];

/** Milliseconds a worker must live for its death to count as the first. */
const SOUND_LIFE = 60_000;

/** Milliseconds beyond `server.shutdown` after which a worker that has not ended is killed. */
const STOP_MARGIN = 5_000;

export function createWorkerGroup(options: WorkerGroupOptions): WorkerGroup {
  const { clock, logger } = options;
  const members = new Set<WorkerProcess>();
  let departed: readonly object[] = [];
  let config = options.config;
  let deaths = 0;
  let phase: 'starting' | 'running' | 'stopping' = 'starting';
  let everReady = false;

  const readyMembers = (): number => [...members].filter((member) => member.ready).length;

  /** All of them at first; later a replacement that is still fetching keys does not take the others down with it. */
  const noteReady = (): void => {
    everReady ||= readyMembers() === options.workers;
  };

  const launch = (): WorkerProcess => {
    const { dev, workers } = options;
    const startedAt = clock.monotonic();
    const member = startWorker({ config, dev, workers }, { ...options, onReady: noteReady });
    members.add(member);
    member.listening.then(
      () => logger.info({ worker: member.pid }, 'a worker listens'),
      (error: unknown) => {
        // At the start of all, the caller says so.
        if (phase === 'running') logger.error({ worker: member.pid, err: error }, 'a worker could not start');
      },
    );
    void member.exited.then((exit) => {
      members.delete(member);
      departed = options.mergeMetrics([departed, member.metrics.filter(isCumulative)]);
      if (phase === 'running') replace(member, exit, clock.monotonic() - startedAt);
    });
    return member;
  };

  const replace = (member: WorkerProcess, { code, signal }: WorkerExit, lived: number): void => {
    logger.error({ worker: member.pid, exitCode: code, signal }, 'a worker died and is replaced');
    if (lived >= SOUND_LIFE) deaths = 0;
    launchAfter(RESTART_DELAYS[Math.min(deaths, RESTART_DELAYS.length - 1)] ?? 0);
    deaths += 1;
  };

  const launchAfter = (delay: number): void => {
    clock.after(delay, () => {
      if (phase !== 'running') return;
      try {
        launch();
      } catch (error) {
        logger.error({ err: error }, 'a worker could not be forked');
        launchAfter(RESTART_DELAYS.at(-1) ?? 0);
      }
    });
  };

  const allGone = (): Promise<unknown> => Promise.all([...members].map((member) => member.exited));

  return {
    async start() {
      cluster.setupPrimary({ exec: options.module, args: [] });
      const first = Array.from({ length: options.workers }, launch);
      try {
        const [port] = await Promise.all(first.map((member) => member.listening));
        phase = 'running';
        return port as number;
      } catch (error) {
        phase = 'stopping';
        for (const member of members) member.kill();
        await allGone();
        throw error;
      }
    },
    ready: () => phase === 'running' && everReady && readyMembers() > 0,
    async reload(next) {
      const previous = config;
      config = next;
      const results = await Promise.allSettled([...members].map((member) => member.reload(next)));
      const refused = results.find((result) => result.status === 'rejected');
      if (refused === undefined) return;
      config = previous;
      await Promise.allSettled([...members].map((member) => member.reload(previous)));
      throw refused.reason;
    },
    async collect() {
      await Promise.all([...members].map((member) => member.collect()));
      // Read only now: whoever died meanwhile is among the departed, and in neither list twice.
      return [...[...members].map((member) => member.metrics), departed];
    },
    async sample() {
      const lists = await Promise.all([...members].map((member) => member.sample()));
      return [...lists, departed];
    },
    async stop() {
      phase = 'stopping';
      for (const member of members) member.stop();
      const { unready, drain } = config.server.shutdown;
      const deadline = clock.after(unready + drain + STOP_MARGIN, () => {
        logger.error(
          { workers: [...members].map((member) => member.pid) },
          'workers did not stop and are killed',
        );
        for (const member of members) member.kill();
      });
      await allGone();
      deadline.cancel();
    },
  };
}

/** Counters and histograms of a worker that died still count: a sum that falls would look like a restart of all. */
function isCumulative(metric: object): boolean {
  return 'type' in metric && (metric.type === 'counter' || metric.type === 'histogram');
}
