import { describeSource } from '../config/find-source.ts';
import { type Loaded, loadConfig } from '../config/load.ts';
import { needsRestart } from '../config/needs-restart.ts';
import { formatProblem } from '../config/problem.ts';
import { watchConfig } from '../config/watch.ts';
import type { ProcessLogger } from '../core/ports.ts';
import { systemClock } from '../core/system-clock.ts';
import { createLogger } from '../observe/logger.ts';
import { createService, type Service } from '../service.ts';
import { type AddCommand, aborted, type CommandContext } from './command.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { CONFIG_OPTION, loadOrExplain } from './load-or-explain.ts';

/** `serve`, the command that is meant when none is named: runs the proxy until it is told to stop. */
export const serveCommand: AddCommand = (program, context, finish) => {
  program
    .command('serve', { isDefault: true })
    .description('run the proxy')
    .option(...CONFIG_OPTION)
    .action(async (options: { config?: string }) => {
      finish(await serve(options.config, context));
    });
};

async function serve(named: string | undefined, context: CommandContext): Promise<ExitCode> {
  const loaded = loadOrExplain(named, context);
  if (loaded === null) return EXIT.unusable;
  const logger = createLogger(loaded.config.log.level);
  const service = createService(loaded.config, { logger, environment: context.environment });
  try {
    const addresses = await service.start();
    const source = describeSource(loaded.source);
    logger.info({ ...addresses, source, routes: loaded.config.routes.length }, 'listening');
  } catch (error) {
    context.err(`cannot start: ${error instanceof Error ? error.message : String(error)}\n`);
    logger.flush();
    return EXIT.failed;
  }
  const stopFollowing = followConfig(loaded, service, logger, context);
  await aborted(context.signal);
  logger.info({}, 'stopping');
  stopFollowing();
  await service.stop();
  return EXIT.fine;
}

/**
 * Takes over the configuration whenever its files change, and on SIGHUP. One that cannot be used is reported and counted,
 * and the last good one stays in force.
 * @returns stops following
 */
function followConfig(
  loaded: Loaded,
  service: Service,
  logger: ProcessLogger,
  context: CommandContext,
): () => void {
  let stopWatching = (): void => undefined;

  const watchOptions = {
    clock: systemClock,
    onChange: () => reload(),
    onFailure: (folder: string, cause: unknown) =>
      logger.warn({ folder, err: cause }, 'configuration is not watched; reload it with SIGHUP'),
  };

  const reload = (): void => {
    const result = loadConfig(loaded.source, { environment: context.environment });
    stopWatching();
    stopWatching = watchConfig(result.files, watchOptions);
    if (!result.ok) {
      service.reloadFailed();
      const problems = result.problems.map(formatProblem);
      logger.error({ problems }, 'configuration refused; the last good one stays in force');
      return;
    }
    try {
      service.reload(result.config);
    } catch (error) {
      service.reloadFailed();
      logger.error({ err: error }, 'configuration refused; the last good one stays in force');
      return;
    }
    logger.info({ routes: result.config.routes.length }, 'configuration taken over');
    // Against what the process was started with: a change that was taken back needs no restart any more.
    const restart = needsRestart(loaded.config, result.config);
    if (restart.length > 0) logger.warn({ keys: restart }, 'these changes take effect only after a restart');
  };

  stopWatching = watchConfig(loaded.files, watchOptions);
  context.onHangup(reload);
  return () => stopWatching();
}
