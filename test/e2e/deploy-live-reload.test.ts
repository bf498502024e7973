import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Program, runProgram } from '../support/program.ts';

const ENTRY = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const CONFIG = fileURLToPath(
  new URL('../../deploy/kubernetes/overlays/sidecar/config.yaml', import.meta.url),
);

let mount: string;
let proxy: Program;

beforeEach(async () => {
  mount = await mkdtemp(join(tmpdir(), 'config-map-'));
});
afterEach(async () => {
  proxy.signal('SIGKILL');
  await proxy.exited;
  await rm(mount, { recursive: true });
});

/**
 * Puts a version of the ConfigMap in place as the kubelet does: a folder of its own, and one symbolic link that is
 * renamed over the one before, so that the name `config.yaml` leads to the new text at once.
 */
async function swapIn(version: string, text: string): Promise<void> {
  await mkdir(join(mount, version));
  await writeFile(join(mount, version, 'config.yaml'), text);
  await symlink(version, join(mount, '..data_tmp'));
  await rename(join(mount, '..data_tmp'), join(mount, '..data'));
}

/** Reads the log up to the line with this message. */
async function logged(message: string): Promise<Record<string, unknown>> {
  for (;;) {
    const line = JSON.parse(await proxy.line()) as Record<string, unknown>;
    if (line['message'] === message) return line;
  }
}

async function answerTo(url: string): Promise<readonly [status: number, code: string]> {
  const answer = await fetch(url);
  return [answer.status, ((await answer.json()) as { code: string }).code];
}

describe('a ConfigMap that is swapped', () => {
  it('is taken over without a restart, and refused when it is wrong', async () => {
    const text = await readFile(CONFIG, 'utf8');
    await swapIn('..2026_01', text);
    await symlink('..data/config.yaml', join(mount, 'config.yaml'));
    proxy = runProgram(process.execPath, [ENTRY, 'serve', '--config', join(mount, 'config.yaml')], {
      // The keys of the user pool are not to be had here, and nothing is to be asked of the network for them.
      env: { LISTEN: '127.0.0.1:0', ADMIN_LISTEN: '127.0.0.1:0', HTTPS_PROXY: 'http://127.0.0.1:9' },
    });
    const { proxy: origin, admin } = await logged('listening');
    expect(await answerTo(`${origin}/posts`)).toEqual([401, 'AUTHN_TOKEN_MISSING']);

    await swapIn('..2026_02', text.replace('"/{proxy+}"', '"/wiki/{proxy+}"'));
    expect(await logged('configuration taken over')).toMatchObject({ routes: 3 });
    expect(await answerTo(`${origin}/posts`)).toEqual([404, 'ROUTE_NOT_FOUND']);
    expect(await answerTo(`${origin}/wiki/posts`)).toEqual([401, 'AUTHN_TOKEN_MISSING']);

    await swapIn('..2026_03', text.replace('upstream: board', 'upstream: bord'));
    const refused = await logged('configuration refused; the last good one stays in force');
    expect(JSON.stringify(refused['problems'])).toContain('there is no upstream \\"bord\\"');
    expect(await answerTo(`${origin}/wiki/posts`)).toEqual([401, 'AUTHN_TOKEN_MISSING']);

    const metrics = await (await fetch(`${admin}/metrics`)).text();
    expect(metrics).toContain('cognito_auth_proxy_config_reloads_total{result="success"} 1\n');
    expect(metrics).toContain('cognito_auth_proxy_config_reloads_total{result="failure"} 1\n');
  });
});
