import { describe, expect, it } from 'vitest';
import { runProgram } from '../../../src/cli/program.ts';
import type { DevSummary } from '../../../src/dev/dev-stack.ts';

/** Runs a command line that is told to stop before it begins. */
async function runStopped(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const said = { out: '', err: '' };
  const code = await runProgram(
    args,
    {
      environment: {},
      folder: '/',
      out: (text) => {
        said.out += text;
      },
      err: (text) => {
        said.err += text;
      },
      signal: AbortSignal.abort(),
      name: 'cognito-auth-proxy',
      onHangup: () => undefined,
    },
    '0.0.0',
  );
  return { code, ...said };
}

describe('dev', () => {
  it.each(['port', 'admin-port', 'cognito-port', 'upstream-port'])(
    'refuses what is no --%s',
    async (option) => {
      for (const text of ['65536', '-1', 'http', '80.5', '1e3', '']) {
        const { code, err } = await runStopped('dev', `--${option}=${text}`);
        expect(code).toBe(2);
        expect(err).toContain(`'${text}' is invalid. expected a port from 0 to 65535`);
      }
    },
  );

  it('has ports of its own when none are given', async () => {
    const { out } = await runStopped('dev', '--help');
    const defaults = out.replace(/\s+/g, ' ').matchAll(/(--[a-z-]*port) <port>.*?\(default: (\d+)\)/g);
    expect([...defaults].map(([, option, port]) => [option, port])).toEqual([
      ['--port', '8080'],
      ['--admin-port', '9090'],
      ['--cognito-port', '9229'],
      ['--upstream-port', '3000'],
    ]);
  });

  it('stops, once it has started, when it was told to while starting', async () => {
    const free = ['--port=0', '--admin-port=0', '--cognito-port=0', '--upstream-port=0'];
    const { code, out, err } = await runStopped('dev', '--json', ...free);
    expect(code).toBe(0);
    expect(err).toMatch(/starting the proxy\nstopping\n$/);
    const { proxy } = JSON.parse(out) as DevSummary;
    await expect(fetch(proxy)).rejects.toThrow();
  });
});
