import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addDevCommand, type DevOptions } from '../../../src/cli/dev.ts';

/** What the command is run with, or what it says to arguments that it refuses. */
async function parse(...args: string[]): Promise<DevOptions | string> {
  let outcome: DevOptions | string = 'not run';
  const program = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
  addDevCommand(program, async (options) => {
    outcome = options;
  });
  await program.parseAsync(['dev', ...args], { from: 'user' }).catch((error: Error) => {
    outcome = error.message;
  });
  return outcome;
}

describe('addDevCommand', () => {
  it('has ports of its own when none are given', async () => {
    expect(await parse()).toEqual({
      ports: { proxy: 8080, admin: 9090, cognito: 9229, upstream: 3000 },
      json: false,
    });
  });

  it('reads all options', async () => {
    const args = ['--port=0', '--admin-port=1', '--cognito-port', '2', '--upstream-port', '65535', '--json'];
    expect(await parse(...args)).toEqual({
      ports: { proxy: 0, admin: 1, cognito: 2, upstream: 65_535 },
      json: true,
    });
  });

  it.each(['65536', '-1', 'http', '80.5', '1e3', ''])('refuses %j as a port', async (port) => {
    expect(await parse(`--port=${port}`)).toBe(
      `error: option '--port <port>' argument '${port}' is invalid. expected a port from 0 to 65535`,
    );
  });
});
