import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DEBIAN_PACKAGES, locate } from '../support/debian-tools.ts';

const SCRIPT = fileURLToPath(new URL('../../.ci/run', import.meta.url));
const BASH = locate('bash') ?? '/bin/bash';

/** A machine as `.ci/run` finds it. */
interface Machine {
  readonly ci?: boolean;
  readonly root?: boolean;
  /** Whether the mirror can be reached. */
  readonly mirror?: boolean;
  /** Whether the distribution has promtool's package. */
  readonly known?: boolean;
  /** Whether installing it brings promtool. */
  readonly installs?: boolean;
}

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ci-run-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function program(name: string, lines: string): void {
  writeFileSync(join(folder, name), `#!${BASH}\n${lines}\n`);
  chmodSync(join(folder, name), 0o755);
}

/** Runs it where every program but promtool is there, and npm only says what it was asked. */
function run({ ci = true, root = true, mirror = true, known = true, installs = true }: Machine) {
  for (const name of Object.keys(DEBIAN_PACKAGES)) if (name !== 'promtool') program(name, 'exit 0');
  for (const name of ['dirname', 'chmod', 'touch']) symlinkSync(locate(name) ?? '', join(folder, name));
  program('id', `echo ${root ? 0 : 1000}`);
  program('npm', 'echo "npm $*"');
  program('apt-cache', `exit ${known ? 0 : 100}`);
  const bring = `printf '#!${BASH}\\n' > ${folder}/promtool; chmod 755 ${folder}/promtool`;
  program(
    'apt-get',
    `if [[ $1 == update ]]; then exit ${mirror ? 0 : 100}; fi; ${installs ? bring : 'exit 100'}`,
  );
  const env = { PATH: folder, ...(ci ? { CI: 'true' } : {}) };
  const { status, stdout, stderr } = spawnSync(BASH, [SCRIPT], { env, encoding: 'utf8' });
  return { status, tested: stdout.endsWith('npm ci\nnpm test\n'), stderr };
}

const TESTED = { status: 0, tested: true };

describe('.ci/run', () => {
  it.each<[string, Machine]>([
    ['installs what is missing', {}],
    ['goes on without a mirror', { mirror: false, installs: false }],
    ['goes on where the distribution has no such package', { known: false, installs: false }],
    ['goes on where nothing can be installed', { root: false }],
    ['goes on, out of CI, without what could not be installed', { ci: false, installs: false }],
  ])('%s, and tests', (_what, machine) => {
    expect(run(machine)).toMatchObject(TESTED);
  });

  it('fails in CI where a package that should have come has not, and names it', () => {
    const { status, tested, stderr } = run({ installs: false });
    expect([status, tested]).toEqual([1, false]);
    expect(stderr).toContain('missing: promtool, which the package prometheus was to bring');
  });
});
