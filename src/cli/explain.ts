import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { systemClock } from '../core/system-clock.ts';
import { describeExplanation } from '../describe-explanation.ts';
import { explainRequest } from '../explain.ts';
import type { AddCommand, CommandContext } from './command.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { CONFIG_OPTION, loadOrExplain } from './load-or-explain.ts';

interface ExplainOptions {
  readonly config?: string;
  readonly method: string;
  readonly url: string;
  readonly tokenFile?: string;
  readonly idTokenFile?: string;
  readonly json: boolean;
}

/** `explain`: which route a request meets, which conditions hold and which do not. The answer to "why 403?". */
export const explainCommand: AddCommand = (program, context, finish) => {
  program
    .command('explain')
    .description('say what would become of a request, and why, without sending it')
    .option(...CONFIG_OPTION)
    .requiredOption('--url <url>', 'the URL, or the path, as a client sends it')
    .option('--method <method>', 'the request method', 'GET')
    .option('--token-file <file>', 'a file with the token; its signature is not checked')
    .option('--id-token-file <file>', 'a file with the ID token that is sent beside it')
    .option('--json', 'print one line of JSON', false)
    .action((options: ExplainOptions) => finish(explain(options, context)));
};

function explain(options: ExplainOptions, context: CommandContext): ExitCode {
  const loaded = loadOrExplain(options.config, context);
  if (loaded === null) return EXIT.unusable;
  let tokens: { readonly token: string | null; readonly idToken: string | null };
  try {
    tokens = {
      token: readToken(options.tokenFile, context.folder),
      idToken: readToken(options.idTokenFile, context.folder),
    };
  } catch (error) {
    context.err(`the token file cannot be read: ${(error as Error).message}\n`);
    return EXIT.unusable;
  }
  const now = systemClock.now() / 1000;
  const explanation = explainRequest(loaded.config, { ...options, ...tokens, now });
  context.out(options.json ? `${JSON.stringify(explanation)}\n` : describeExplanation(explanation, now));
  return EXIT.fine;
}

function readToken(file: string | undefined, folder: string): string | null {
  if (file === undefined) return null;
  return readFileSync(resolve(folder, file), 'utf8')
    .trim()
    .replace(/^bearer /i, '');
}
