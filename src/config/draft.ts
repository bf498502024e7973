import { z } from 'zod';
import { isMapping } from './config-path.ts';
import { type Config, configSchema } from './schema/config.ts';
import { type IdentityPoolConfig, identityPool, type UserPoolConfig, userPool } from './schema/pools.ts';
import { type RouteConfig, route } from './schema/routes.ts';
import { type UpstreamConfig, upstream } from './schema/upstreams.ts';

/**
 * As much of a configuration as the schema accepts, so that the cross-references of the good parts are checked although
 * other parts are broken. Null stands for a part that is there but not right.
 */
export interface Draft {
  readonly server: Config['server'] | null;
  readonly admin: Config['admin'] | null;
  readonly userPools: ReadonlyMap<string, UserPoolConfig | null>;
  readonly identityPools: ReadonlyMap<string, IdentityPoolConfig | null>;
  readonly upstreams: ReadonlyMap<string, UpstreamConfig | null>;
  readonly routes: readonly (RouteConfig | null)[];
  /** Whether rules are enforced on routes that do not say; null where that is not readable. */
  readonly enforce: boolean | null;
  readonly rateLimits: Config['rateLimits'] | null;
  readonly cors: Config['cors'];
  readonly tokenSources: Config['tokenSources'] | null;
  readonly identity: Config['identity'] | null;
}

/** Reads each section, each pool, each upstream and each route on its own. */
export function readDraft(root: unknown): Draft {
  const tree = isMapping(root) ? root : {};
  const shape = configSchema.shape;
  return {
    server: read(shape.server, tree.server),
    admin: read(shape.admin, tree.admin),
    userPools: readEach(userPool, tree.userPools),
    identityPools: readEach(identityPool, tree.identityPools),
    upstreams: readEach(upstream, tree.upstreams),
    routes: Array.isArray(tree.routes) ? tree.routes.map((item) => read(route, item)) : [],
    enforce: read(shape.enforce, tree.enforce),
    rateLimits: read(shape.rateLimits, tree.rateLimits),
    cors: read(shape.cors, tree.cors),
    tokenSources: read(shape.tokenSources, tree.tokenSources),
    identity: read(shape.identity, tree.identity),
  };
}

function read<T extends z.ZodType>(schema: T, value: unknown): z.output<T> | null {
  const verdict = z.safeParse(schema, value);
  return verdict.success ? verdict.data : null;
}

function readEach<T extends z.ZodType>(schema: T, value: unknown): Map<string, z.output<T> | null> {
  const entries = isMapping(value) ? Object.entries(value) : [];
  return new Map(entries.map(([name, item]) => [name, read(schema, item)]));
}
