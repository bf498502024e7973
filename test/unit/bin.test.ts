import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runProgram } from '../support/program.ts';

const BIN = join(import.meta.dirname, '../../src/bin.js');
const manifest = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')) as {
  version: string;
  engines: { node: string };
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bin-test-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs the command's first file on a Node that says it is of this version. */
async function runOn(version: string) {
  const disguise = join(folder, `${version}.cjs`);
  writeFileSync(
    disguise,
    `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } });`,
  );
  const program = runProgram(process.execPath, ['--require', disguise, BIN, '--version']);
  const out = await program.rest();
  return { code: (await program.exited).code, out, err: program.complaints };
}

describe('the first file of the command', () => {
  it.each(['20.20.2', '22.21.9', '14.21.3', '9.99.99'])(
    'on Node %s says in one line what is needed',
    async (version) => {
      expect(await runOn(version)).toEqual({
        code: 2,
        out: '',
        err: `cognito-auth-proxy needs Node.js 22.22.0 or newer, this is ${version}; in a checkout, npx node runs the one that npm ci installs\n`,
      });
    },
  );

  it.each(['22.22.0', '22.22.1', '24.0.0', '100.0.0'])('on Node %s goes on', async (version) => {
    expect(await runOn(version)).toEqual({ code: 0, out: manifest.version, err: '' });
  });

  it('asks for what the package asks for', () => {
    expect(manifest.engines.node).toBe('>=22.22.0');
  });
});
