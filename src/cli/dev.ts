import { InvalidArgumentError, Option } from 'commander';
import { loadConfig } from '../config/load.ts';
import { formatProblem } from '../config/problem.ts';
import type { Config } from '../config/schema/config.ts';
import type { Environment } from '../config/substitute.ts';
import type { ConfigDocument } from '../dev/dev-config.ts';
import { missingDevPackage } from '../dev/dev-packages.ts';
import { writeGuide } from '../dev/guide.ts';
import { writeOwnConfigGuide } from '../dev/own-config-guide.ts';
import { createLogger } from '../observe/logger.ts';
import { createService } from '../service.ts';
import { tuneYoungGeneration } from '../young-generation.ts';
import { type AddCommand, aborted, type CommandContext } from './command.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { loadOrExplain } from './load-or-explain.ts';

/** Standard output is for the guide or the line of JSON; the log goes to standard error. */
const LOG_DESCRIPTOR = 2;

interface DevOptions {
  /** A configuration to run instead of the stack's own. */
  readonly config?: string;
  readonly port: number;
  readonly adminPort: number;
  readonly cognitoPort: number;
  readonly upstreamPort: number;
  readonly host: string;
  /** One line of JSON for scripts instead of the guide for people. */
  readonly json: boolean;
}

/** `dev`: the proxy with all that it needs around it, on this machine alone. */
export const devCommand: AddCommand = (program, context, finish) => {
  const command = program.command('dev');
  const { npm_lifecycle_event: script } = context.environment;
  // npm keeps options to itself, and hands on what they are given.
  if (script !== undefined)
    command.showHelpAfterError(`npm hands on what stands after --: npm run ${script} -- --config FILE`);
  command
    .description('run the proxy with a local user pool, signed-in users and a sample upstream')
    .option(
      '-c, --config <file>',
      'run this configuration, its user pools and upstreams replaced by local ones',
    )
    .option('--port <port>', 'of the proxy; 0 takes a free one, here and below', readPort, 8080)
    .option('--admin-port <port>', 'of its metrics and health checks', readPort, 9090)
    .option('--cognito-port <port>', 'of the user pool', readPort, 9229)
    .option('--upstream-port <port>', 'of the sample upstream', readPort, 3000)
    .addOption(
      new Option('--host <address>', 'where all of them listen; 0.0.0.0 is for containers')
        .choices(['127.0.0.1', '0.0.0.0'])
        .default('127.0.0.1'),
    )
    .option('--json', 'print one line of JSON for scripts', false)
    .action(async (options: DevOptions) => finish(await runDev(options, context)));
};

function readPort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new InvalidArgumentError('expected a port from 0 to 65535');
  return port;
}

/** A stack that runs, and what is printed of it. */
interface RunningStack {
  readonly summary: object;
  readonly guide: string;
  /** Resolves when a part of it has ended by itself. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

/**
 * Runs the development stack until it is told to stop.
 * @returns `fine` when it was told to stop, `failed` when it could not start or a part of it ended
 */
async function runDev(options: DevOptions, context: CommandContext): Promise<ExitCode> {
  const { out, err, signal } = context;
  const missing = missingDevPackage();
  if (missing !== undefined) {
    err(
      `dev needs a checkout with its development dependencies: ${missing} is not installed, run npm ci there\n`,
    );
    return EXIT.failed;
  }
  const loaded = options.config === undefined ? undefined : loadOrExplain(options.config, context);
  if (loaded === null) return EXIT.unusable;
  try {
    const stack = await startStack(loaded?.config, options, context);
    out(options.json ? `${JSON.stringify(stack.summary)}\n` : stack.guide);
    tuneYoungGeneration();
    const told = await Promise.race([aborted(signal).then(() => true), stack.ended.then(() => false)]);
    err(told ? 'stopping\n' : 'the user pool has ended unexpectedly\n');
    await stack.stop();
    return told ? EXIT.fine : EXIT.failed;
  } catch (error) {
    err(`${(error as Error).message}\n`);
    return EXIT.failed;
  }
}

/** The rooms of `dev` are loaded only now: in a production installation their own imports are not there. */
async function startStack(
  own: Config | undefined,
  options: DevOptions,
  context: CommandContext,
): Promise<RunningStack> {
  const parts = {
    ports: {
      proxy: options.port,
      admin: options.adminPort,
      cognito: options.cognitoPort,
      upstream: options.upstreamPort,
    },
    host: options.host,
    createService,
    overrides: {
      logger: createLogger('info', { descriptor: LOG_DESCRIPTOR }),
      // Traces may leave this machine; what is asked of the stand-ins goes through no proxy.
      environment: onlyTracing(context.environment),
    },
    progress: (line: string) => context.err(`${line}\n`),
  };
  if (own === undefined) {
    const { startDevStack } = await import('../dev/dev-stack.ts');
    const stack = await startDevStack({ ...parts, readConfig });
    return { ...stack, guide: writeGuide(stack.summary) };
  }
  const { startOwnConfigStack } = await import('../dev/own-config-stack.ts');
  const stack = await startOwnConfigStack(own, parts);
  return { ...stack, guide: writeOwnConfigGuide(stack.summary), ended: new Promise(() => undefined) };
}

function onlyTracing(environment: Environment): Environment {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => name.startsWith('OTEL_')));
}

/** Through the same door as a file: what `dev` runs is a configuration that users could have written. */
function readConfig(document: ConfigDocument): Config {
  const text = JSON.stringify(document);
  const source = { kind: 'text', text, name: 'development configuration', folder: '/' } as const;
  const loaded = loadConfig(source, { environment: {}, dev: true });
  if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join('\n'));
  return loaded.config;
}
