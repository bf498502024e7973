import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { it } from 'vitest';

/** Programs that some tests ask for a second opinion, and the Debian packages that bring them; `.ci/run` installs these. */
export const DEBIAN_PACKAGES = {
  kubectl: 'kubernetes-client',
  promtool: 'prometheus',
  'docker-compose': 'docker-compose',
  'redis-server': 'redis-server',
  curl: 'curl',
  chromium: 'chromium',
  nginx: 'nginx-light',
} as const;

export type DebianTool = keyof typeof DEBIAN_PACKAGES;

/** A test by its name and what it does, with its time limit in milliseconds. */
type DefineTest = (name: string, run: () => void | Promise<void>, timeout?: number) => void;

/** `it` for tests that need this program. Where it is not installed each of them says that it was not run, by name. */
export function itWith(tool: DebianTool): DefineTest {
  const installed = isInstalled(tool);
  return (name, run, timeout) => {
    if (!installed) {
      const reason = `${tool} is not installed (Debian package ${DEBIAN_PACKAGES[tool]})`;
      process.stderr.write(`not run: ${name}: ${reason}\n`);
    }
    it.runIf(installed)(name, run, timeout);
  };
}

/** What one of them is given beyond its arguments. */
interface ToolInput {
  readonly input?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * Runs one of them, and gives what it wrote to standard output.
 * @throws Error with what it wrote to standard error, when it is not content
 */
export function runTool(
  tool: DebianTool,
  args: readonly string[],
  { input = '', environment = {} }: ToolInput = {},
): string {
  const env = { ...process.env, ...environment };
  return execFileSync(tool, args, { encoding: 'utf8', input, env, stdio: 'pipe' });
}

/** For what such tests share, such as a server that is started before them. */
export function isInstalled(command: string): boolean {
  return locate(command) !== undefined;
}

/** The path of a program; undefined when it is not installed. */
export function locate(command: string): string | undefined {
  const paths = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, command));
  return paths.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
