import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import type { Tools } from './prerequisites.ts';

/** Which core does what. */
export interface Cores {
  /** Contenders run here; for those that may use more, the others come after it. */
  readonly contender: number;
  readonly spare: readonly number[];
  /** Load and upstream. */
  readonly load: number;
}

/** What the figures were taken on. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  /** GiB. */
  readonly memory: number;
  readonly kernel: string;
  readonly versions: Readonly<Record<string, string>>;
}

/**
 * Shares out the cores that this process may use: the first for contenders, the last for load and upstream.
 *
 * @param status the text of /proc/self/status
 * @returns null when there are fewer than two
 */
export function shareCores(status: string): Cores | null {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? '';
  const allowed = list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
  const [contender, ...others] = allowed;
  const load = others.at(-1);
  if (contender === undefined || load === undefined) return null;
  return { contender, spare: others.slice(0, -1), load };
}

export function describeMachine(tools: Tools): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memory: Math.round(totalmem() / 2 ** 30),
    kernel: release().replace(/-.*/, ''),
    versions: {
      Node: process.versions.node,
      HAProxy: versionIn(run(tools.haproxy, ['-v'])),
      nginx: versionIn(run(tools.nginx, ['-v'])),
      wrk: versionIn(run(tools.wrk, ['-v'])),
      express: packageVersion('express'),
      'http-proxy-middleware': packageVersion('http-proxy-middleware'),
      jose: packageVersion('jose'),
    },
  };
}

/** wrk prints its version with a usage error, nginx on standard error. */
function run(program: string, args: readonly string[]): string {
  const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  return stdout + stderr;
}

function versionIn(text: string): string {
  return /\d+(\.\d+)+/.exec(text)?.[0] ?? 'unknown';
}

function packageVersion(name: string): string {
  const file = new URL(`../node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
