import { fileURLToPath } from 'node:url';
import type { Child, Processes } from '../processes.ts';
import type { RequestFile } from '../world/requests.ts';

export interface WrkOptions {
  readonly wrk: string;
  readonly cores: readonly number[];
  readonly port: number;
  readonly requests: RequestFile;
  readonly connections: number;
  readonly seconds: number;
  /** How many requests of the file to pass over. */
  readonly cursor: number;
}

/** What wrk tells of a run; our script prints it as JSON. */
export interface WrkResult {
  readonly requests: number;
  readonly microseconds: number;
  readonly bytes: number;
  /** Answers with a status of 400 or more. */
  readonly refused: number;
  /** Connections that failed. */
  readonly broken: number;
  /** Answers that took longer than wrk waits, 2 s. */
  readonly late: number;
  /** Microseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly cursor: number;
}

const SCRIPT = fileURLToPath(new URL('./requests.lua', import.meta.url));

/** Starts a closed loop: every connection sends its next request when it has the last one's answer. */
export function startWrk(processes: Processes, options: WrkOptions): Child {
  return processes.start({
    file: options.wrk,
    args: [
      ...['--threads', '1', '--connections', String(options.connections)],
      ...['--duration', `${options.seconds}s`, '--script', SCRIPT],
      `http://127.0.0.1:${options.port}/`,
      ...['--', options.requests.path, String(options.cursor)],
    ],
    cores: options.cores,
  });
}

/**
 * Waits for a run's end.
 * @param expected what every single answer must be
 * @throws when wrk failed, or an answer was another than expected
 */
export async function finishWrk(child: Child, expected: 'accepted' | 'refused'): Promise<WrkResult> {
  const failure = await child.ended;
  if (failure !== null) throw new Error(`wrk ${failure}\n${child.complaint()}${child.output()}`);
  const result = parseWrkOutput(child.output());
  const unexpected = expected === 'accepted' ? result.refused : result.requests - result.refused;
  if (result.requests === 0) throw new Error('wrk got no answer');
  if (unexpected > 0 || result.broken > 0 || result.late > 0) {
    throw new Error(
      `of ${result.requests} answers ${unexpected} were not ${expected}; ` +
        `${result.broken} connections failed, ${result.late} answers were late`,
    );
  }
  return result;
}

/** Takes our line out of what wrk prints around it. */
export function parseWrkOutput(output: string): WrkResult {
  const line = output.split('\n').find((one) => one.startsWith('{'));
  if (line === undefined) throw new Error(`wrk printed no result:\n${output}`);
  return JSON.parse(line) as WrkResult;
}
