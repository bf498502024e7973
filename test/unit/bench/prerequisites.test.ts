import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findTools } from '../../../bench/prerequisites.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bench-tools-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function install(...names: readonly string[]): void {
  for (const name of names) writeFileSync(join(folder, name), '', { mode: 0o755 });
}

it('finds the programs, the first folder first', () => {
  install('wrk', 'nginx', 'haproxy', 'taskset', 'setpriv');
  expect(findTools(['/nowhere', folder, '/usr/bin'])).toEqual({
    wrk: join(folder, 'wrk'),
    nginx: join(folder, 'nginx'),
    haproxy: join(folder, 'haproxy'),
    taskset: join(folder, 'taskset'),
    setpriv: join(folder, 'setpriv'),
  });
});

it.each([
  [['nginx', 'haproxy', 'taskset', 'setpriv'], 'the bench needs wrk: on Debian, apt-get install wrk'],
  [
    ['wrk', 'taskset', 'setpriv'],
    'the bench needs nginx, haproxy: on Debian, apt-get install nginx-light haproxy',
  ],
  [['wrk', 'nginx', 'haproxy'], 'the bench needs taskset, setpriv: on Debian, apt-get install util-linux'],
])('with %j only, says what to install', (installed, problem) => {
  install(...installed);
  expect(findTools([folder])).toEqual({ problem });
});

it('does not take a file that cannot be run', () => {
  install('nginx', 'haproxy', 'taskset', 'setpriv');
  writeFileSync(join(folder, 'wrk'), '', { mode: 0o644 });
  expect(findTools([folder])).toHaveProperty('problem');
});
