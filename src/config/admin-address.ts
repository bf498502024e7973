import { readDraft } from './draft.ts';
import { overlayEnvironment } from './environment.ts';
import type { Source } from './find-source.ts';
import { createOrigins } from './origins.ts';
import { readWritten } from './read-written.ts';
import { type ListenAddress, listenAddress } from './schema/scalars.ts';
import type { Environment } from './substitute.ts';

/**
 * Where the admin port of a proxy with this configuration listens, even if other parts of the file have been broken
 * since it was started: its health must not depend on a file that it has refused to take over.
 * @param source null: no configuration, all defaults
 */
export function findAdminAddress(source: Source | null, environment: Environment): ListenAddress {
  const written =
    source === null
      ? overlayEnvironment({}, environment, createOrigins())
      : readWritten(source, environment).value;
  return readDraft(written).admin?.listen ?? listenAddress.parse('127.0.0.1:9090');
}
