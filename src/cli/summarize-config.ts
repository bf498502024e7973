import type { Config } from '../config/schema/config.ts';
import type { ListenAddress } from '../config/schema/scalars.ts';
import { isEnforced, unenforced } from '../core/enforcement.ts';
import { alignColumns } from '../observe/align-columns.ts';

/** A configuration at a glance: where it listens, whom it believes, and the routes with their rules. */
export function summarizeConfig(config: Config): string {
  const { server, admin } = config;
  const workers = server.workers === 1 ? '1 worker' : `${server.workers} workers`;
  const scheme = server.tls === null ? 'http' : 'https';
  const lines = [
    `listens on ${scheme}://${formatAddress(server.listen)} with ${workers}, admin on ${formatAddress(admin.listen)}`,
    ...Object.entries(config.userPools).map(
      ([name, pool]) =>
        `user pool ${name}: ${pool.userPoolId}, ${pool.tokenUse.join(' and ')} tokens of ${describeClients(pool.clientIds)}`,
    ),
    ...Object.entries(config.upstreams).map(
      ([name, upstream]) =>
        `upstream ${name}: ${[upstream.url ?? [], upstream.urls ?? []].flat().join(', ')}`,
    ),
    '',
    ...alignColumns([
      ['ROUTE', 'METHODS', 'HOST', 'PATH', 'UPSTREAM', 'ALLOW'],
      ...config.routes.map((route) => [
        route.id,
        route.match.methods?.join(',') ?? 'any',
        route.match.host ?? 'any',
        route.match.path,
        route.upstream,
        `${typeof route.allow === 'string' ? route.allow : JSON.stringify(route.allow)}${
          isEnforced(route, config.enforce) ? '' : ' (not enforced)'
        }`,
      ]),
    ]),
  ];
  return `${lines.join('\n')}\n`;
}

/** What is said beside the summary of a configuration that lets through whom it would refuse; null where it does not. */
export function describeShadow(config: Config): string | null {
  const names = unenforced(config.routes, config.enforce).map(({ id }) => id);
  if (names.length === 0) return null;
  const listed = names.slice(0, MOST_NAMED).join(', ');
  const more = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : '';
  return `WARNING: enforce: false lets EVERYBODY through, with any token or none, on ${listed}${more}\n`;
}

/** Routes named in one line. */
const MOST_NAMED = 10;

function describeClients(clientIds: readonly string[] | null): string {
  if (clientIds === null) return 'ANY client';
  return clientIds.length === 1 ? `client ${clientIds[0]}` : `${clientIds.length} clients`;
}

function formatAddress({ host, port }: ListenAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
