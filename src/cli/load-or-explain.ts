import { findSource, NO_SOURCE } from '../config/find-source.ts';
import { type Loaded, type LoadOptions, loadConfig } from '../config/load.ts';
import { formatProblem, type Problem } from '../config/problem.ts';
import type { CommandContext } from './command.ts';

/** The option that names the file, the same for every command that reads one. */
export const CONFIG_OPTION = ['-c, --config <file>', 'the configuration file'] as const;

/** Loads the configuration, or says on standard error all that is wrong with it; null then. */
export function loadOrExplain(
  named: string | undefined,
  context: CommandContext,
  options: Omit<LoadOptions, 'environment'> = {},
): Loaded | null {
  const source = findSource(named, context.environment, context.folder);
  if (source === null) {
    context.err(`${NO_SOURCE}\n`);
    return null;
  }
  const result = loadConfig(source, { ...options, environment: context.environment });
  if (result.ok) return result;
  context.err(listProblems(result.problems));
  return null;
}

/** One line for each problem, and their number when there are several. */
function listProblems(problems: readonly Problem[]): string {
  const lines = problems.map(formatProblem);
  if (lines.length > 1) lines.push(`${lines.length} problems`);
  return `${lines.join('\n')}\n`;
}
