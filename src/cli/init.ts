import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { diagnose } from '../config/diagnose.ts';
import { describeFileError } from '../config/file-error.ts';
import { userPool } from '../config/schema/pools.ts';
import { upstreamUrl } from '../config/schema/upstreams.ts';
import type { AddCommand, CommandContext } from './command.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { writeStarter } from './starter.ts';

interface InitOptions {
  readonly userPoolId?: string;
  readonly clientId?: readonly string[];
  readonly upstream?: string;
  readonly output?: string;
  readonly force?: boolean;
}

/** `init`: a configuration to start from. */
export const initCommand: AddCommand = (program, context, finish) => {
  program
    .command('init')
    .description('write a commented configuration to start from')
    .option('--user-pool-id <id>', 'the Cognito user pool')
    .option('--client-id <ids...>', 'the app clients whose tokens are accepted')
    .option('--upstream <url>', 'the service to put the proxy in front of')
    .option('-o, --output <file>', 'write to this file instead of standard output')
    .option('--force', 'overwrite the file if it is there')
    .action((options: InitOptions) => finish(init(options, context)));
};

function init(options: InitOptions, context: CommandContext): ExitCode {
  const mistakes = [
    ...mistakesIn('--user-pool-id', userPool.shape.userPoolId, options.userPoolId),
    ...mistakesIn('--client-id', userPool.shape.clientIds, options.clientId),
    ...mistakesIn('--upstream', upstreamUrl, options.upstream),
  ];
  if (mistakes.length > 0) {
    context.err(`${mistakes.join('\n')}\n`);
    return EXIT.unusable;
  }
  const text = writeStarter(options);
  if (options.output === undefined) {
    context.out(text);
    return EXIT.fine;
  }
  try {
    writeFileSync(resolve(context.folder, options.output), text, { flag: options.force ? 'w' : 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      context.err(`${options.output} is there already: --force overwrites it\n`);
      return EXIT.unusable;
    }
    context.err(`${options.output}: ${describeFileError(error)}\n`);
    return EXIT.failed;
  }
  context.err(`wrote ${options.output}; next: ${context.name} check --config ${options.output}\n`);
  return EXIT.fine;
}

function mistakesIn(option: string, schema: Parameters<typeof diagnose>[0], value: unknown): string[] {
  if (value === undefined) return [];
  return diagnose(schema, value).map((finding) => `${option}: ${finding.message}`);
}
