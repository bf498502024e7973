import { Command, CommanderError } from 'commander';
import { didYouMean } from '../config/suggest.ts';
import { checkCommand } from './check.ts';
import type { AddCommand, CommandContext } from './command.ts';
import { devCommand } from './dev.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { explainCommand } from './explain.ts';
import { healthcheckCommand } from './healthcheck.ts';
import { initCommand } from './init.ts';
import { probeKeys, probeUpstreams } from './online-probes.ts';
import { schemaCommand } from './schema.ts';
import { serveCommand } from './serve.ts';

/** Every command, in the order of the help. */
const COMMANDS: readonly AddCommand[] = [
  serveCommand,
  checkCommand([probeKeys, probeUpstreams]),
  explainCommand,
  initCommand,
  schemaCommand,
  devCommand,
  healthcheckCommand,
];

/**
 * Runs one command line.
 * @param args without the names of the runtime and the script
 */
export async function runProgram(
  args: readonly string[],
  context: CommandContext,
  version: string,
): Promise<ExitCode> {
  let code: ExitCode = EXIT.fine;
  const program = new Command('cognito-auth-proxy')
    .description('A reverse proxy that lets in what Amazon Cognito vouches for and your rules allow')
    .version(version)
    .configureOutput({ writeOut: context.out, writeErr: context.err })
    .exitOverride();
  for (const add of COMMANDS) {
    add(program, context, (result) => {
      code = result;
    });
  }
  const unknown = unknownCommand(program, args);
  if (unknown !== null) {
    context.err(`error: ${unknown}\n`);
    return EXIT.unusable;
  }
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    // Help and version were asked for; every other exit of commander's is bad usage, which it has explained.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.fine : EXIT.unusable;
    context.err(`cognito-auth-proxy: ${error instanceof Error ? error.message : String(error)}\n`);
    return EXIT.failed;
  }
}

/** With a command that is meant when none is named, a misspelt one would be taken for that one's argument. */
function unknownCommand(program: Command, [first]: readonly string[]): string | null {
  const names = ['help', ...program.commands.map((command) => command.name())];
  if (first === undefined || first.startsWith('-') || names.includes(first)) return null;
  return `unknown command "${first}"${didYouMean(first, names) || '; --help lists them'}`;
}
