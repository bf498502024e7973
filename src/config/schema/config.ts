import { z } from 'zod';
import { credentialCache, identityPool, tokenCache, userPool } from './pools.ts';
import { rateLimits } from './rate-limits.ts';
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
  userPools: z
    .record(identifier, userPool)
    .default({})
    .describe('The Cognito user pools whose tokens are accepted, each under a name of your own.'),
  tokenCache,
  identityPools: z
    .record(identifier, identityPool)
    .default({})
    .describe('Cognito identity pools, which give callers AWS credentials of their own to sign with.'),
  credentialCache,
  upstreams: z
    .record(identifier, upstream)
    .refine((all) => Object.keys(all).length > 0, 'expected at least one upstream')
    .describe('The services that requests are forwarded to, each under a name of your own.'),
  routes: z
    .array(route)
    .min(1)
    .describe('What is let in, and where it goes. A request that matches none is answered 404.'),
  enforce: z
    .boolean()
    .default(true)
    .describe(
      'false: whoever a rule would refuse is let through, marked, logged and counted, on every route that does not say otherwise.',
    ),
  rateLimits,
  cors: cors
    .prefault(null)
    .describe(
      'Cross-origin policy; null: OPTIONS is routed like any method. upstream: preflights, which are OPTIONS without a body, pass unjudged and uncounted, unless a route names OPTIONS; never where requests are signed.',
    ),
  tokenSources: z
    .array(tokenSource)
    .min(1)
    .prefault(['authorization'])
    .describe('Where the token is looked for. A token in two of them at once is refused.'),
  identity,
  metrics: z
    .strictObject({
      routeHistograms: z.boolean().default(false).describe('Adds the route to the duration histogram.'),
    })
    .prefault({})
    .describe('What is measured beyond the defaults.'),
  log,
});

/** A checked configuration: durations in milliseconds, names in lower case, secrets as text. JSON all through. */
export type Config = z.output<typeof configSchema>;
