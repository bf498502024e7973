import type { z } from 'zod';
import { compileRoutes } from '../../src/authorize/compile-routes.ts';
import { configSchema } from '../../src/config/schema/config.ts';
import type { Route } from '../../src/core/route.ts';
import { compileUpstreams } from '../../src/prepare/compile-upstreams.ts';

type ConfigInput = z.input<typeof configSchema>;
type RouteInput = ConfigInput['routes'][number];

/** What a test says of a route; the rest is `authenticated`, to one upstream, and named after its place. */
export type RouteSketch = Partial<Omit<RouteInput, 'match'>> & RouteInput['match'];

/** Compiles routes as a configuration would have them. */
export function routes(sketches: readonly RouteSketch[], config: Partial<ConfigInput> = {}): Route[] {
  const parsed = configSchema.parse({
    upstreams: { board: { url: 'http://board.test' } },
    ...config,
    routes: sketches.map(({ host, methods, path, permit, ...rest }, i) => ({
      id: `r${i}`,
      match: { host, methods, path, permit },
      allow: 'authenticated',
      upstream: 'board',
      ...rest,
    })),
  });
  return compileRoutes(parsed, compileUpstreams(parsed, new Map()));
}

/** One compiled route. */
export function route(sketch: Partial<RouteSketch> = {}, config: Partial<ConfigInput> = {}): Route {
  return routes([{ path: '/', ...sketch }], config)[0] as Route;
}
