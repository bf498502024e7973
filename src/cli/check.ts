import { describeSource } from '../config/find-source.ts';
import { formatProblem } from '../config/problem.ts';
import type { Config } from '../config/schema/config.ts';
import type { AddCommand, CommandContext } from './command.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { CONFIG_OPTION, loadOrExplain } from './load-or-explain.ts';
import { reviewOpenings } from './review-openings.ts';
import { describeShadow, summarizeConfig } from './summarize-config.ts';

/** What a look at the world outside the file has shown. */
export interface ProbeResult {
  /** What was looked at, such as `keys of user pool main`. */
  readonly subject: string;
  readonly ok: boolean;
  /** What was seen there. */
  readonly detail: string;
}

/** Looks at what a configuration refers to: key sets, upstreams. Failures are results, not exceptions. */
export type Probe = (config: Config, context: CommandContext) => Promise<readonly ProbeResult[]>;

/** `check`: whether a configuration can be used, without using it. `--online` needs something to look with. */
export function checkCommand(probes: readonly Probe[]): AddCommand {
  return (program, context, finish) => {
    const command = program
      .command('check')
      .description('say whether a configuration can be used, and all that is wrong with it')
      .option(...CONFIG_OPTION);
    if (probes.length > 0) {
      command.option('--online', 'also try to reach what it refers to: keys and upstreams');
    }
    command.action(async (options: { config?: string; online?: boolean }) => {
      finish(await check(options.config, options.online ? probes : [], context));
    });
  };
}

async function check(
  named: string | undefined,
  probes: readonly Probe[],
  context: CommandContext,
): Promise<ExitCode> {
  const loaded = loadOrExplain(named, context, { review: reviewOpenings });
  if (loaded === null) return EXIT.unusable;
  context.out(`${describeSource(loaded.source)} is fine\n${summarizeConfig(loaded.config)}`);
  const warning = describeShadow(loaded.config);
  if (warning !== null) context.err(warning);
  for (const problem of loaded.warnings) context.err(`WARNING: ${formatProblem(problem)}\n`);
  const results = (await Promise.all(probes.map((probe) => probe(loaded.config, context)))).flat();
  for (const { subject, ok, detail } of results) {
    (ok ? context.out : context.err)(`${ok ? 'ok' : 'FAILED'}  ${subject}: ${detail}\n`);
  }
  return results.every((result) => result.ok) ? EXIT.fine : EXIT.failed;
}
