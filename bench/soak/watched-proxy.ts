import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { CLIENT_ID, USER_POOL_ID } from '../world/tokens.ts';
import type { Look } from './flatness.ts';

const COLLECT_GARBAGE = new URL('../load/collect-garbage.js', import.meta.url).href;
const ENTRY = fileURLToPath(new URL('../../src/bin.js', import.meta.url));

/** The proxy as a process of its own, as users run it. */
export interface WatchedProxy {
  readonly port: number;
  /** @param collected whether garbage is to be collected before */
  look(at: number, collected: boolean): Promise<Look>;
  /** The sum of all series of a metric whose labels have this text. */
  metric(name: string, labels?: string): Promise<number>;
  descriptors(): number;
  /** Writes another configuration in the place of the one in force; it is noticed. */
  reconfigure(variant: number): void;
  /** The process has ended although nobody asked it to. */
  readonly gone: boolean;
  /** Asks it to stop; resolves with its exit code. */
  stop(): Promise<number | null>;
}

export interface ProxyAim {
  readonly folder: string;
  readonly upstream: string;
  readonly issuer: string;
  /** A certificate to be trusted for the issuer. */
  readonly authority: string;
  /** The core it may use; null: any. */
  readonly core: number | null;
  readonly workers: number;
}

export async function startWatchedProxy(aim: ProxyAim): Promise<WatchedProxy> {
  const config = join(aim.folder, 'soak.yaml');
  const authority = join(aim.folder, 'authority.pem');
  writeFileSync(authority, aim.authority);
  writeFileSync(config, configuration(aim, 0));
  const command = [
    process.execPath,
    '--expose-gc',
    '--import',
    COLLECT_GARBAGE,
    ENTRY,
    'serve',
    '--config',
    config,
  ];
  const pinned = aim.core === null ? command : ['taskset', '--cpu-list', String(aim.core), ...command];
  const child = spawn(pinned[0] as string, pinned.slice(1), {
    env: { PATH: process.env['PATH'] ?? '', NODE_ENV: 'production', NODE_EXTRA_CA_CERTS: authority },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  process.once('exit', () => child.kill('SIGKILL'));
  let gone = false;
  const exited = once(child, 'exit').then(([code]) => {
    gone = true;
    return code as number | null;
  });
  // The log is read and thrown away, as a container engine would read and keep it.
  const log = createInterface({ input: child.stdout });
  let addresses = { proxy: '', admin: '' };
  for await (const line of log) {
    const said = JSON.parse(line) as typeof addresses & { message: string };
    if (said.message !== 'listening') continue;
    addresses = said;
    break;
  }
  child.stdout.resume();
  const pid = child.pid ?? 0;

  // Of one that is gone nothing is to be had; that it is, is said in the end.
  const scrape = (): Promise<string> =>
    fetch(`${addresses.admin}/metrics`).then(
      (response) => response.text(),
      () => '',
    );
  /** Its own id and those of its workers. */
  const pids = (): number[] =>
    gone
      ? []
      : [pid, ...readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ').map(Number)];
  const sum = (amountOf: (pid: number) => number): number =>
    pids().reduce((total, one) => total + (one === 0 ? 0 : amountOf(one)), 0);
  const descriptors = (): number => sum((one) => readdirSync(`/proc/${one}/fd`).length);
  const resident = (): number =>
    sum((one) => Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${one}/status`, 'latin1'))?.[1])) / 1024;
  while ((await fetch(`${addresses.admin}/readyz`)).status !== 200);

  return {
    port: Number(new URL(addresses.proxy).port),
    descriptors,
    get gone() {
      return gone;
    },
    async look(at, collected) {
      if (collected) {
        for (const one of pids()) if (one !== 0) process.kill(one, 'SIGCONT');
        await scrape();
      }
      const text = await scrape();
      return {
        at,
        collected,
        resident: resident(),
        heap: sumOf(text, 'nodejs_heap_size_used_bytes') / 2 ** 20,
        descriptors: descriptors(),
        delay: sumOf(text, 'nodejs_eventloop_lag_p99_seconds') * 1000,
      };
    },
    metric: async (name, labels = '') => sumOf(await scrape(), name, labels),
    reconfigure: (variant) => writeFileSync(config, configuration(aim, variant)),
    stop() {
      child.kill('SIGTERM');
      return exited;
    },
  };
}

/** Whether this machine can hold a process to one core. */
export function canPin(): boolean {
  return spawnSync('taskset', ['--version']).error === undefined;
}

function sumOf(scrape: string, name: string, labels = ''): number {
  return scrape
    .split('\n')
    .filter((line) => /^[^ {]+/.exec(line)?.[0] === name && line.includes(labels))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

/** Variants differ in what costs most to change: routes, and connections to the upstream. Every fifth has a mistake. */
function configuration({ upstream, issuer, workers }: ProxyAim, variant: number): string {
  const route = (id: string, path: string, allow: unknown, methods?: string[]) => ({
    id,
    match: { path, ...(methods === undefined ? {} : { methods }) },
    allow,
    upstream: 'board',
  });
  return JSON.stringify({
    server: { listen: '127.0.0.1:0', workers, shutdown: { unready: '0s', drain: '10s' } },
    admin: { listen: '127.0.0.1:0' },
    userPools: {
      // Under load the keys come from a process that is busy with the load: that is not what is tried here.
      main: {
        userPoolId: USER_POOL_ID,
        clientIds: [CLIENT_ID],
        issuer,
        keys: { refresh: '5s', timeout: '10s' },
      },
    },
    upstreams: { board: { url: upstream, timeouts: { keepAlive: variant % 2 === 0 ? '4s' : '3s' } } },
    routes: [
      route('items', '/items/{item+}', { groups: ['readers'] }, ['GET', 'POST']),
      route('live', '/live', 'authenticated'),
      route('admin', '/admin/{path+}', { groups: ['admins'] }),
      route('public', '/public/{path+}', 'public'),
      route(`extra-${variant}`, `/extra-${variant}`, 'public'),
    ],
    ...(variant % 5 === 4 ? { mistake: true } : {}),
  });
}
