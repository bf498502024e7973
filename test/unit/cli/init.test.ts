import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nameProgram } from '../../../src/cli/command.ts';
import { runCommandLine } from '../../support/command-line.ts';
import { loadText, problemsOf } from '../../support/config-text.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'init-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const OPTIONS = [
  ...['--user-pool-id', 'eu-west-1_Abc123'],
  ...['--client-id', 'one', '123456'],
  ...['--upstream', 'https://board.internal:8443/base'],
];

describe('init', () => {
  it('prints a file that can be used as it is', async () => {
    const { code, out, err } = await runCommandLine(['init']);
    expect([code, err]).toEqual([0, '']);
    expect(problemsOf(loadText(out))).toEqual([]);
    expect(out.match(/replace with yours/g)).toHaveLength(3);
  });

  it('puts in what it is told', async () => {
    const { out } = await runCommandLine(['init', ...OPTIONS]);
    const result = loadText(out);
    expect(result.ok && result.config.userPools).toMatchObject({
      main: { userPoolId: 'eu-west-1_Abc123', clientIds: ['one', '123456'] },
    });
    expect(result.ok && result.config.upstreams['main']?.url).toBe('https://board.internal:8443/base');
    expect(out).not.toContain('replace with yours');
  });

  it.each(['true', 'null', '12e3', '007', 'a#b', 'x: y', '"', '1example23456789', 'yes'])(
    'writes the client id %s so that it is read back',
    async (id) => {
      const { out } = await runCommandLine(['init', '--client-id', id]);
      const result = loadText(out);
      expect(result.ok && result.config.userPools['main']?.clientIds).toEqual([id]);
    },
  );

  it('its commented route can be used too', async () => {
    const { out } = await runCommandLine(['init']);
    const result = loadText(
      out.replaceAll(/^ {2}# ( *)(- id|match:|allow:|groups:|claims:|upstream:)/gm, '  $1$2'),
    );
    expect(problemsOf(result)).toEqual([]);
    expect(result.ok && result.config.routes.map((route) => route.id)).toContain('write-posts');
  });

  it('writes a file, and overwrites it only by force', async () => {
    const file = join(folder, 'proxy.yaml');
    expect(await runCommandLine(['init', '-o', 'proxy.yaml'], { folder })).toEqual({
      code: 0,
      out: '',
      err: 'wrote proxy.yaml; next: cognito-auth-proxy check --config proxy.yaml\n',
    });
    writeFileSync(file, 'mine');
    expect(await runCommandLine(['init', '-o', 'proxy.yaml'], { folder })).toEqual({
      code: 2,
      out: '',
      err: 'proxy.yaml is there already: --force overwrites it\n',
    });
    expect(readFileSync(file, 'utf8')).toBe('mine');
    expect((await runCommandLine(['init', '-o', 'proxy.yaml', '--force'], { folder })).code).toBe(0);
    expect(problemsOf(loadText(readFileSync(file, 'utf8')))).toEqual([]);
  });

  it('names what comes next as it was called itself', async () => {
    const name = nameProgram('/checkout/src/main.ts', '/checkout');
    expect(await runCommandLine(['init', '-o', 'next.yaml'], { folder, name })).toMatchObject({
      err: 'wrote next.yaml; next: npx node src/main.ts check --config next.yaml\n',
    });
  });

  it.each([
    ['/usr/local/bin/cognito-auth-proxy', '/home/me', 'cognito-auth-proxy'],
    ['/app/dist/bin.js', '/app', 'cognito-auth-proxy'],
    ['/checkout/src/bin.js', '/checkout', 'npx node src/bin.js'],
    ['/checkout/src/main.ts', '/checkout/docs', 'npx node ../src/main.ts'],
  ])('%s called in %s is called %s', (script, from, name) => {
    expect(nameProgram(script, from)).toBe(name);
  });

  it('says why it cannot write', async () => {
    expect(await runCommandLine(['init', '-o', 'no/such/folder.yaml'], { folder })).toEqual({
      code: 1,
      out: '',
      err: 'no/such/folder.yaml: there is no such file\n',
    });
  });

  it('names the option that is wrong', async () => {
    const args = ['init', '--user-pool-id', 'abc', '--client-id', '', '--upstream', 'board'];
    expect(await runCommandLine(args)).toEqual({
      code: 2,
      out: '',
      err: `--user-pool-id: expected a user pool id such as us-east-1_AbCdEf123, got "abc"
--client-id: expected a text that is not empty
--upstream: expected an absolute URL that starts with http:// or https://
`,
    });
  });
});
