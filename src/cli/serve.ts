import { describeSource } from '../config/find-source.ts';
import { type Loaded, loadConfig } from '../config/load.ts';
import { needsRestart } from '../config/needs-restart.ts';
import { formatProblem } from '../config/problem.ts';
import { watchConfig } from '../config/watch.ts';
import { unenforced } from '../core/enforcement.ts';
import type { LogFields } from '../core/log-fields.ts';
import type { ProcessLogger } from '../core/ports.ts';
import type { ServiceAddresses } from '../core/service.ts';
import { systemClock } from '../core/system-clock.ts';
import { createLogger } from '../observe/logger.ts';
import { createService, type Service } from '../service.ts';
import { tuneYoungGeneration } from '../young-generation.ts';
import { type AddCommand, aborted, type CommandContext } from './command.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { CONFIG_OPTION, loadOrExplain } from './load-or-explain.ts';
import { reviewOpenings } from './review-openings.ts';

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
  const loaded = loadOrExplain(named, context, { review: reviewOpenings });
  if (loaded === null) return EXIT.unusable;
  const { level } = loaded.config.log;
  const logger = createLogger(level, { shared: loaded.config.server.workers !== 1 });
  let service: Service;
  let addresses: ServiceAddresses;
  try {
    service = createService(loaded.config, { logger, environment: context.environment });
    addresses = await service.start();
  } catch (error) {
    context.err(`cannot start: ${error instanceof Error ? error.message : String(error)}\n`);
    await logger.flush();
    return EXIT.failed;
  }
  const stopFollowing = followConfig(loaded, service, logger, context);
  const source = describeSource(loaded.source);
  logger.info({ ...addresses, source, routes: loaded.config.routes.length }, 'listening');
  warnOfOpenDoors(loaded, logger);
  tuneYoungGeneration();
  await aborted(context.signal);
  logger.info({}, 'stopping');
  await stopFollowing();
  await service.stop();
  return EXIT.fine;
}

/** Whatever lets in more than the rules say, and may be meant. */
function warnOfOpenDoors({ config, warnings }: Loaded, logger: ProcessLogger): void {
  const { length } = unenforced(config.routes, config.enforce);
  if (length > 0)
    logger.warn({ unenforced: length }, 'routes are not enforced: everybody is let through there');
  if (warnings.length > 0) {
    const problems = warnings.map(formatProblem);
    logger.warn({ problems }, 'routes that strip a prefix reach what others protect');
  }
}

/**
 * Takes over the configuration whenever its files change, and on SIGHUP. One that cannot be used is reported and counted,
 * and the last good one stays in force.
 * @returns stops following; resolves when nothing is being taken over any more
 */
function followConfig(
  loaded: Loaded,
  service: Service,
  logger: ProcessLogger,
  context: CommandContext,
): () => Promise<void> {
  let stopWatching = (): void => undefined;
  let stopped = false;
  let reloading = Promise.resolve();

  const requestReload = (): void => {
    // One after the other: two at once could leave the older one in force.
    reloading = reloading.then(reload);
  };

  const watchOptions = {
    clock: systemClock,
    onChange: requestReload,
    onFailure: (folder: string, cause: unknown) =>
      logger.warn({ folder, err: cause }, 'configuration is not watched; reload it with SIGHUP'),
  };

  const refuse = (why: LogFields): void => {
    service.reloadFailed();
    logger.error(why, 'configuration refused; the last good one stays in force');
  };

  const reload = async (): Promise<void> => {
    if (stopped) return;
    const result = loadConfig(loaded.source, {
      environment: context.environment,
      review: reviewOpenings,
    });
    stopWatching();
    stopWatching = watchConfig(result.files, watchOptions);
    if (!result.ok) return refuse({ problems: result.problems.map(formatProblem) });
    try {
      await service.reload(result.config);
    } catch (error) {
      return refuse({ err: error });
    }
    logger.info({ routes: result.config.routes.length }, 'configuration taken over');
    warnOfOpenDoors(result, logger);
    // Against what the process was started with: a change that was taken back needs no restart any more.
    const keys = needsRestart(loaded.config, result.config);
    if (keys.length > 0) logger.warn({ keys }, 'these changes take effect only after a restart');
  };

  stopWatching = watchConfig(loaded.files, watchOptions);
  context.onHangup(requestReload);
  return () => {
    stopped = true;
    stopWatching();
    return reloading;
  };
}
