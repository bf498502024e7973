import { get } from 'node:http';
import { findAdminAddress } from '../config/admin-address.ts';
import { findSource } from '../config/find-source.ts';
import type { ListenAddress } from '../config/schema/scalars.ts';
import type { AddCommand } from './command.ts';
import { EXIT } from './exit-code.ts';
import { CONFIG_OPTION } from './load-or-explain.ts';

/** Milliseconds for the whole answer. */
const PATIENCE = 2000;

/** `healthcheck`: asks the proxy of this configuration whether it lives; for a container's HEALTHCHECK. */
export const healthcheckCommand: AddCommand = (program, context, finish) => {
  program
    .command('healthcheck')
    .description('ask the admin port of a running proxy whether it lives')
    .option(...CONFIG_OPTION)
    .action(async (options: { config?: string }) => {
      const source = findSource(options.config, context.environment, context.folder);
      const failure = await askAlive(findAdminAddress(source, context.environment));
      if (failure !== null) context.err(`not alive: ${failure}\n`);
      finish(failure === null ? EXIT.fine : EXIT.failed);
    });
};

/** Null when `/livez` answers 200 in time, else why not. */
export function askAlive(address: ListenAddress, patience: number = PATIENCE): Promise<string | null> {
  const host = address.host === '0.0.0.0' || address.host === '::' ? '127.0.0.1' : address.host;
  const where = `${host.includes(':') ? `[${host}]` : host}:${address.port}`;
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(patience);
    const fail = (error: NodeJS.ErrnoException): void => {
      resolve(
        `${where}: ${signal.aborted ? `no answer within ${patience} ms` : (error.code ?? error.message)}`,
      );
    };
    const request = get({ host, port: address.port, path: '/livez', signal }, (response) => {
      const { statusCode } = response;
      response.on('error', fail);
      response.on('end', () => resolve(statusCode === 200 ? null : `${where} answered ${statusCode}`));
      response.resume();
    });
    request.on('error', fail);
  });
}
