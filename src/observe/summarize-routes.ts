import type { Config } from '../config/schema/config.ts';
import type { RouteSummary } from './admin-app.ts';

/** The routes of a configuration for people to read. */
export function summarizeRoutes(config: Config): RouteSummary[] {
  return config.routes.map((route) => ({
    id: route.id,
    host: route.match.host ?? '*',
    methods: route.match.methods?.join(',') ?? '*',
    path: route.match.path,
    allow: typeof route.allow === 'string' ? route.allow : JSON.stringify(route.allow),
    upstream: route.upstream,
  }));
}
