import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OwnConfigSummary } from '../../src/dev/own-config-stack.ts';
import { itWith } from '../support/debian-tools.ts';
import { type Program, runProgram } from '../support/program.ts';
import { readRecipe, type Step } from '../support/recipe.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const itWithCurl = itWith('curl');

const INDEX = 'README.md';
const names = readdirSync(join(ROOT, 'docs/recipes')).filter(
  (name) => name.endsWith('.md') && name !== INDEX,
);
const recipes = names.map((name) => ({ name, ...readRecipe(read(`docs/recipes/${name}`)) }));

/** Runs a command of a recipe as it is printed, in a checkout, except for where the stack listens. */
async function follow(command: string, stack: OwnConfigSummary): Promise<string> {
  const addressed = command
    .replaceAll('127.0.0.1:8080', stack.proxy.replace('http://', ''))
    .replaceAll('127.0.0.1:9090', stack.admin.replace('http://', ''));
  const env = { ...process.env, ...stack.tokens };
  const { stdout } = await promisify(execFile)('sh', ['-c', addressed], { cwd: ROOT, env });
  return stdout;
}

function expectAnswer(output: string, expected: Step['expected']): void {
  if (expected === null) return;
  if (typeof expected === 'string') expect(output).toContain(expected);
  else {
    const [, status] = /^HTTP\/1\.1 (\d{3}) /.exec(output) ?? [];
    const [, code] = /"code":"(\w+)"/.exec(output) ?? [];
    expect([Number(status), code]).toEqual([expected.status, expected.code]);
  }
}

describe.each(recipes)('docs/recipes/$name', ({ name, shown, start, steps }) => {
  let program: Program | undefined;
  let stack: OwnConfigSummary;

  beforeAll(async () => {
    const { environment, config } = start ?? { environment: {}, config: '' };
    const freePorts = ['--port', '--admin-port', '--cognito-port', '--upstream-port'].flatMap((option) => [
      option,
      '0',
    ]);
    const args = [join(ROOT, 'src/bin.js'), 'dev', '--config', join(ROOT, config), '--json', ...freePorts];
    program = runProgram(process.execPath, args, { env: environment });
    stack = JSON.parse(await program.line()) as OwnConfigSummary;
  });
  afterAll(async () => {
    program?.signal('SIGINT');
    expect(await program?.exited).toEqual({ code: 0, signal: null });
  });

  it('shows the file that it runs', () => {
    const [, withoutHeader] = /^(?:#.*\n)+\n([\s\S]*)$/.exec(read(start?.config ?? '')) ?? [];
    expect(shown).toBe(withoutHeader);
  });

  it('has a request that passes and one that is refused', () => {
    const refusals = steps.filter(
      ({ expected }) => typeof expected === 'object' && (expected?.status ?? 0) >= 400,
    );
    expect(refusals).not.toEqual([]);
    expect(steps.length).toBeGreaterThan(refusals.length);
  });

  for (const { command, expected } of steps) {
    itWithCurl(`docs/recipes/${name}: ${command.replaceAll('\n', ' ')}`, async () => {
      expectAnswer(await follow(command, stack), expected);
    });
  }
});

describe('docs/recipes/README.md', () => {
  it('lists every recipe by its title', () => {
    const listed = [...read(`docs/recipes/${INDEX}`).matchAll(/^\| \[(.*?)\]\((.*?)\) /gm)];
    const inOrder = (pairs: [string, string][]): [string, string][] =>
      pairs.sort(([a], [b]) => (a < b ? -1 : 1));
    expect(inOrder(listed.map(([, title = '', file = '']) => [file, title]))).toEqual(
      inOrder(recipes.map(({ name, title }) => [name, title])),
    );
  });

  it('leaves out no example but those that show the file format', () => {
    const examples = readdirSync(join(ROOT, 'config/examples')).filter((name) => name.endsWith('.yaml'));
    const followed = recipes.map(({ start }) => start?.config.replace('config/examples/', ''));
    expect(examples.filter((name) => !followed.includes(name))).toEqual(['minimal.yaml', 'reference.yaml']);
  });

  it('says what works', async () => {
    const { steps } = readRecipe(read(`docs/recipes/${INDEX}`));
    const script = steps.map(({ command }) => command).join('\n');
    const { stdout } = await promisify(execFile)('sh', ['-ec', script], { cwd: ROOT });
    for (const { expected } of steps) expectAnswer(stdout, expected);
    expect(stdout).toContain('AUTHN_TOKEN_MISSING');
  });
});
