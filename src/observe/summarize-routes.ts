import type { Config } from '../config/schema/config.ts';
import { isEnforced } from '../core/enforcement.ts';
import { alignColumns } from './align-columns.ts';

/** A route of the configuration for people to read. */
export interface RouteSummary {
  readonly id: string;
  readonly host: string;
  readonly methods: string;
  readonly path: string;
  readonly allow: string;
  /** False: whom `allow` refuses is let through, and noted. */
  readonly enforce: boolean;
  readonly upstream: string;
}

export function summarizeRoutes(config: Config): RouteSummary[] {
  return config.routes.map((route) => ({
    id: route.id,
    host: route.match.host ?? '*',
    methods: route.match.methods?.join(',') ?? '*',
    path: route.match.path,
    allow: typeof route.allow === 'string' ? route.allow : JSON.stringify(route.allow),
    enforce: isEnforced(route, config.enforce),
    upstream: route.upstream,
  }));
}

/** The routes as a table in plain text, for a look with curl. */
export function tabulateRoutes(routes: readonly RouteSummary[]): string {
  return alignColumns([
    ['ROUTE', 'HOST', 'METHODS', 'PATH', 'ALLOW', 'UPSTREAM'],
    ...routes.map(({ id, host, methods, path, allow, enforce, upstream }) => [
      id,
      host,
      methods,
      path,
      enforce ? allow : `${allow} (not enforced)`,
      upstream,
    ]),
  ]).join('\n');
}
