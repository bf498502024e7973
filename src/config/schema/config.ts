import { z } from 'zod';
import { credentialCache, identityPool, tokenCache, userPool } from './pools.ts';
import { cors, route } from './routes.ts';
import { identifier } from './scalars.ts';
import { admin, identity, log, server, tokenSource } from './server.ts';
import { upstream } from './upstreams.ts';

/**
 * The whole configuration file. Each key's meaning stands beside it, so that the JSON Schema and the reference are
 * generated and cannot differ from what is checked.
 */
export const configSchema = z.strictObject({
  server,
  admin,
  userPools: z.record(identifier, userPool).default({}),
  tokenCache,
  identityPools: z.record(identifier, identityPool).default({}),
  credentialCache,
  upstreams: z
    .record(identifier, upstream)
    .refine((all) => Object.keys(all).length > 0, 'expected at least one upstream'),
  routes: z.array(route).min(1),
  cors: cors.default(null).describe('Cross-origin policy; null: OPTIONS is routed like any method.'),
  tokenSources: z
    .array(tokenSource)
    .min(1)
    .default(['authorization'])
    .describe('Where the token is looked for. A token in two of them at once is refused.'),
  identity,
  metrics: z
    .strictObject({
      routeHistograms: z.boolean().default(false).describe('Adds the route to the duration histogram.'),
    })
    .prefault({}),
  log,
});

/** A checked configuration: durations in milliseconds, names in lower case, secrets as text. JSON all through. */
export type Config = z.output<typeof configSchema>;
