import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import type { DevSummary } from '../../src/dev/dev-stack.ts';
import type { OwnConfigSummary } from '../../src/dev/own-config-stack.ts';
import { itWith } from '../support/debian-tools.ts';
import { runProgram } from '../support/program.ts';
import { readRecipe, type Step } from '../support/recipe.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PAGES = ['docs/quick-start.md', 'docs/ko/quick-start.md'];
const FREE_PORTS = ['--port', '--admin-port', '--cognito-port', '--upstream-port'].flatMap((port) => [
  port,
  '0',
]);

const folder = mkdtempSync(join(tmpdir(), 'quick-start-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The chapters of a page, each with the commands in it. */
const chaptersOf = (page: string) =>
  readFileSync(join(ROOT, page), 'utf8').split(/^## /m).slice(1).map(readRecipe);

const commandsOf = (page: string): string[] =>
  chaptersOf(page).flatMap(({ start, steps }) => [
    start?.config ?? '',
    ...steps.map(({ command }) => command),
  ]);

/** Runs a command as it is printed, except for where the stack listens and where the file is written. */
async function follow({ command, expected }: Step, where: Readonly<Record<string, string>>, tokens = {}) {
  const [from, to] = [Object.keys(where), Object.values(where)];
  const addressed = from.reduce((text, name, index) => text.replaceAll(name, to[index] ?? ''), command);
  const env = { ...process.env, ...tokens };
  const { stdout } = await promisify(execFile)('sh', ['-ec', addressed], { cwd: ROOT, env });
  if (expected === null) return;
  if (typeof expected === 'string') expect(stdout).toContain(expected);
  else {
    // What `explain` says, or what curl shows.
    const [, status, code] =
      /^outcome +(\d{3}) (\w+)/m.exec(stdout) ??
      /^HTTP\/1\.1 (\d{3}) (?:[\s\S]*"code":"(\w+)")?/.exec(stdout) ??
      [];
    expect([Number(status), code]).toEqual([expected.status, expected.code]);
  }
}

const where = (stack: Pick<DevSummary, 'proxy' | 'admin'>): Record<string, string> => ({
  '127.0.0.1:8080': stack.proxy.replace('http://', ''),
  '127.0.0.1:9090': stack.admin.replace('http://', ''),
});

/** Starts the stack for as long as it is called. */
async function withStack<T>(args: readonly string[], call: (stack: T) => Promise<void>): Promise<void> {
  const program = runProgram(process.execPath, [
    join(ROOT, 'src/bin.js'),
    'dev',
    '--json',
    ...FREE_PORTS,
    ...args,
  ]);
  try {
    await call(JSON.parse(await program.line()) as T);
  } finally {
    program.signal('SIGINT');
    await program.exited;
  }
}

describe('docs/quick-start.md', () => {
  const [seeIt, writeRules, tryThem] = chaptersOf(PAGES[0] ?? '');

  itWith('curl')(
    'docs/quick-start.md: works from its first line to its last',
    async () => {
      const [start, ...asks] = seeIt?.steps ?? [];
      expect(start?.command).toBe('npm ci && npm start');
      await withStack<DevSummary>([], async (stack) => {
        const tokens = { ALICE: stack.users.alice.accessToken, BOB: stack.users.bob.accessToken };
        for (const step of asks) await follow(step, where(stack), tokens);
      });

      const file = join(folder, 'proxy.yaml');
      for (const step of writeRules?.steps ?? []) await follow(step, { 'proxy.yaml': file });

      expect(tryThem?.start?.config).toBe('proxy.yaml');
      await withStack<OwnConfigSummary>(['--config', file], async (stack) => {
        for (const step of tryThem?.steps ?? []) await follow(step, where(stack), stack.tokens);
      });
    },
    60_000,
  );

  it('is the same in Korean, command by command', () => {
    expect(commandsOf(PAGES[1] ?? '')).toEqual(commandsOf(PAGES[0] ?? ''));
    expect(commandsOf(PAGES[0] ?? '').length).toBeGreaterThan(10);
  });
});

describe('docs/troubleshooting.md', () => {
  it.each(['docs/troubleshooting.md', 'docs/ko/troubleshooting.md'])(
    '%s: has a command that works',
    async (page) => {
      const [, command = ''] = /```sh\n([\s\S]*?)```/.exec(readFileSync(join(ROOT, page), 'utf8')) ?? [];
      const { stdout } = await promisify(execFile)('sh', ['-ec', command], { cwd: ROOT });
      expect(stdout).toContain('outcome    401 AUTHN_TOKEN_MISSING');
    },
  );
});
