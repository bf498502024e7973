import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { HUGE_BYTES } from '../contenders/upstream.ts';
import type { LoadResult } from '../measure/measurement.ts';
import type { Processes } from '../processes.ts';
import type { RequestFile } from '../world/requests.ts';
import { finishWrk, startWrk } from './wrk.ts';

/** How a load is put on a contender. */
export type Generate = (aim: LoadAim) => Promise<LoadResult>;

export interface LoadAim {
  readonly processes: Processes;
  readonly wrk: string;
  readonly cores: readonly number[];
  readonly port: number;
  readonly requests: RequestFile;
  readonly seconds: number;
  readonly cursor: number;
}

/** Connections of a load; as many callers at one moment as keep one core busy. */
export const CONNECTIONS = 64;

/** As much as the contender takes. */
export const saturate: Generate = async (aim) => {
  const child = startWrk(aim.processes, { ...aim, connections: CONNECTIONS });
  const result = await finishWrk(child, 'accepted');
  return {
    amount: result.requests,
    seconds: result.microseconds / 1e6,
    p50: result.p50 / 1000,
    p99: result.p99 / 1000,
    cursor: result.cursor,
  };
};

/** A fixed number of requests a second. */
export function pace(rate: number): Generate {
  return async ({ processes, cores, port, requests, seconds }) => {
    const args = [port, requests.path, rate, seconds, CONNECTIONS].map(String);
    const output = await processes.run(node('./paced-process.ts', args, cores), (seconds + 20) * 1000);
    const result = JSON.parse(output) as Omit<LoadResult, 'amount' | 'cursor'> & { requests: number };
    return { ...result, amount: result.requests, cursor: 0 };
  };
}

/** One large answer, whatever the seconds. */
export const stream: Generate = async ({ processes, cores, port, requests }) => {
  const [request = ''] = readFileSync(requests.path, 'latin1').split('\0');
  const args = [String(port), Buffer.from(request, 'latin1').toString('base64'), String(HUGE_BYTES)];
  const output = await processes.run(node('./stream-process.ts', args, cores), 120_000);
  const { seconds } = JSON.parse(output) as { seconds: number };
  return { amount: HUGE_BYTES / 2 ** 20, seconds, p50: null, p99: null, cursor: 0 };
};

/** A load generator of ours, as a command. */
export function node(file: string, args: readonly string[], cores: readonly number[]) {
  return { file: process.execPath, args: [fileURLToPath(new URL(file, import.meta.url)), ...args], cores };
}
