import { isDeepStrictEqual } from 'node:util';
import { type ConfigPath, dotted, valueAt } from './config-path.ts';
import type { Config } from './schema/config.ts';

/** What is fixed when sockets are opened, processes are forked, caches are made and metrics are registered. */
const FIXED_AT_START: readonly ConfigPath[] = [
  ['server', 'listen'],
  ['server', 'workers'],
  ['server', 'limits', 'headerBytes'],
  ['server', 'limits', 'headerCount'],
  ['server', 'limits', 'urlBytes'],
  ['server', 'limits', 'connections'],
  ['server', 'timeouts', 'headers'],
  ['server', 'timeouts', 'idle'],
  ['admin', 'listen'],
  ['tokenCache', 'entries'],
  ['rateLimits', 'store'],
  ['rateLimits', 'entries'],
  ['metrics', 'routeHistograms'],
];

/**
 * The keys that differ and take effect only after a restart, as dotted paths. A changed certificate is not among them
 * (it is put in place for the next connection), but switching TLS on or off is.
 * @param before what the service was started with
 */
export function needsRestart(before: Config, after: Config): string[] {
  const changed = FIXED_AT_START.filter(
    (path) => !isDeepStrictEqual(valueAt(before, path), valueAt(after, path)),
  ).map(dotted);
  const switched = (before.server.tls === null) !== (after.server.tls === null);
  return switched ? [...changed, 'server.tls'] : changed;
}
