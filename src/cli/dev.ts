import { type Command, InvalidArgumentError } from 'commander';
import { loadConfig } from '../config/load.ts';
import { formatProblem } from '../config/problem.ts';
import type { Config } from '../config/schema/config.ts';
import type { ConfigDocument } from '../dev/dev-config.ts';
import { missingDevPackage } from '../dev/dev-packages.ts';
import type { DevPorts } from '../dev/dev-stack.ts';
import { writeGuide } from '../dev/guide.ts';
import { createLogger } from '../observe/logger.ts';
import { createService } from '../service.ts';

export interface DevOptions {
  readonly ports: DevPorts;
  /** One line of JSON for scripts instead of the guide for people. */
  readonly json: boolean;
}

/** What the command needs from the process it runs in. */
export interface DevTerminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Aborted when the command is to stop, as by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** Standard output is for the guide or the line of JSON; the log goes to standard error. */
const LOG_DESCRIPTOR = 2;

/** Adds the command to the program; `run` gets its options, checked. */
export function addDevCommand(program: Command, run: (options: DevOptions) => Promise<void>): void {
  program
    .command('dev')
    .description('run the proxy with a local user pool, signed-in users and a sample upstream')
    .option('--port <port>', 'of the proxy; 0 takes a free one, here and below', readPort, 8080)
    .option('--admin-port <port>', 'of its metrics and health checks', readPort, 9090)
    .option('--cognito-port <port>', 'of the user pool', readPort, 9229)
    .option('--upstream-port <port>', 'of the sample upstream', readPort, 3000)
    .option('--json', 'print one line of JSON for scripts', false)
    .action(
      (given: Record<'port' | 'adminPort' | 'cognitoPort' | 'upstreamPort', number> & { json: boolean }) =>
        run({
          ports: {
            proxy: given.port,
            admin: given.adminPort,
            cognito: given.cognitoPort,
            upstream: given.upstreamPort,
          },
          json: given.json,
        }),
    );
}

function readPort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new InvalidArgumentError('expected a port from 0 to 65535');
  return port;
}

/**
 * Runs the development stack until it is told to stop.
 * @returns the exit code: 0 when it was told to stop, 1 when it could not start or a part of it ended
 */
export async function runDev(options: DevOptions, terminal: DevTerminal): Promise<number> {
  const { out, err, signal } = terminal;
  const missing = missingDevPackage();
  if (missing !== undefined) {
    err(
      `dev needs a checkout with its development dependencies: ${missing} is not installed, run npm ci there\n`,
    );
    return 1;
  }

  // Only now: in a production installation the stack's own imports are not there to be loaded.
  const { startDevStack } = await import('../dev/dev-stack.ts');
  try {
    const stack = await startDevStack({
      ports: options.ports,
      readConfig,
      createService,
      overrides: { logger: createLogger('info', LOG_DESCRIPTOR) },
      progress: (line) => err(`${line}\n`),
    });
    out(options.json ? `${JSON.stringify(stack.summary)}\n` : writeGuide(stack.summary));
    const told = await Promise.race([aborted(signal).then(() => true), stack.ended.then(() => false)]);
    err(told ? 'stopping\n' : 'the user pool has ended unexpectedly\n');
    await stack.stop();
    return told ? 0 : 1;
  } catch (error) {
    err(`${(error as Error).message}\n`);
    return 1;
  }
}

/** Through the same door as a file: what `dev` runs is a configuration that users could have written. */
function readConfig(document: ConfigDocument): Config {
  const text = JSON.stringify(document);
  const source = { kind: 'text', text, name: 'development configuration', folder: '/' } as const;
  const loaded = loadConfig(source, { environment: {}, dev: true });
  if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join('\n'));
  return loaded.config;
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
