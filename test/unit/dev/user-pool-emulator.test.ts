import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startUserPoolEmulator } from '../../../src/dev/user-pool-emulator.ts';
import { openRaw } from '../../support/raw-http.ts';

let temporary: string;

beforeEach(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'emulator-test-'));
  vi.stubEnv('TMPDIR', temporary);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(temporary, { recursive: true, force: true });
});

describe('startUserPoolEmulator', () => {
  it('answers on a free port and leaves nothing behind', async () => {
    const emulator = await startUserPoolEmulator();
    const health = await fetch(`${emulator.origin}/health`);
    expect(await health.json()).toEqual({ ok: true });
    expect(await readdir(temporary)).toHaveLength(1);

    await emulator.stop();
    await emulator.ended;
    await expect(openRaw(emulator.origin)).rejects.toThrow('ECONNREFUSED');
    expect(await readdir(temporary)).toEqual([]);
  });

  it('takes the port it is given', async () => {
    const first = await startUserPoolEmulator();
    await first.stop();
    const second = await startUserPoolEmulator(Number(new URL(first.origin).port));
    expect(second.origin).toBe(first.origin);
    await second.stop();
  });

  it('says so when the port is taken, and leaves nothing behind', async () => {
    const squatter = createServer().listen(0, '127.0.0.1');
    await once(squatter, 'listening');
    const { port } = squatter.address() as { port: number };
    await expect(startUserPoolEmulator(port)).rejects.toMatchObject({
      code: 'EADDRINUSE',
      message: `listen EADDRINUSE: address already in use 127.0.0.1:${port}`,
    });
    expect(await readdir(temporary)).toEqual([]);
    squatter.close();
  });

  it('stops twice without complaint', async () => {
    const emulator = await startUserPoolEmulator();
    await Promise.all([emulator.stop(), emulator.stop()]);
    await emulator.stop();
  });

  it('does not outlive a parent that is killed, nor does its folder', async () => {
    const program = fileURLToPath(new URL('../../support/emulator-parent.ts', import.meta.url));
    const parent = spawn(process.execPath, [program], {
      env: { TMPDIR: temporary },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const connection = await openRaw(line.toString().trim());

    parent.kill('SIGKILL');

    expect(await connection.closed).toBe('end');
    expect(await readdir(temporary)).toEqual([]);
    connection.close();
  });
});
