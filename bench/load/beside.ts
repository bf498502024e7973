import type { Beside } from '../cases/case.ts';
import type { Processes } from '../processes.ts';
import type { RequestFile } from '../world/requests.ts';
import { CONNECTIONS, node } from './generate.ts';
import { finishWrk, startWrk } from './wrk.ts';

/** What goes on beside a load, until it is ended. */
export interface Companion {
  /** @returns answers a second that it got; null when it asks for none */
  end(): Promise<number | null>;
}

export interface CompanionAim {
  readonly processes: Processes;
  readonly wrk: string;
  readonly cores: readonly number[];
  readonly port: number;
  /** Seconds; it goes on for longer than these, and is ended. */
  readonly seconds: number;
  /** Requests with genuine tokens, and with forged ones. */
  readonly genuine: RequestFile;
  readonly forged: RequestFile;
}

/** Starts it, and resolves when it is under way. */
export async function startBeside(beside: Beside, aim: CompanionAim): Promise<Companion> {
  return beside.kind === 'flood' ? startFlood(aim) : startIdle(aim, beside.connections);
}

/** As many connections as the load has, all with forged tokens; every one of them must be refused. */
function startFlood(aim: CompanionAim): Companion {
  const child = startWrk(aim.processes, {
    ...aim,
    requests: aim.forged,
    connections: CONNECTIONS,
    seconds: aim.seconds + 30,
    cursor: 0,
  });
  return {
    async end() {
      // wrk prints its result on an interrupt.
      child.interrupt();
      const { requests, microseconds } = await finishWrk(child, 'refused');
      return requests / (microseconds / 1e6);
    },
  };
}

async function startIdle(aim: CompanionAim, connections: number): Promise<Companion> {
  const args = [aim.port, aim.genuine.path, connections].map(String);
  const child = aim.processes.start(node('./idle-process.ts', args, aim.cores));
  let gone = false;
  void child.ended.then(() => {
    gone = true;
  });
  while (!gone && child.output() === '') await new Promise((resolve) => setTimeout(resolve, 50));
  return {
    async end() {
      if (gone) throw new Error(`idle connections: ${await child.ended}\n${child.complaint()}`);
      await child.stop();
      return null;
    },
  };
}
