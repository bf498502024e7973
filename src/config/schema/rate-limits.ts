import { z } from 'zod';
import { duration, positive, redisUrl } from './scalars.ts';

/** A whole second is the finest grain in which clients are told about it (the window of RateLimit-Policy). */
const period = duration
  .refine((milliseconds) => milliseconds >= 1000, 'expected a duration of at least 1s')
  .meta({ title: 'duration' });

/** A request waits this long for its count. */
const patience = duration
  .refine((milliseconds) => milliseconds <= 5000, 'expected a duration of at most 5s')
  .meta({ title: 'duration' });

/** How often one route may be used. */
export const rateLimit = z.strictObject({
  by: z
    .enum(['caller', 'client', 'address'])
    .describe(
      'What is counted by itself: each user of a pool, each app client, or each address (of IPv6, each /64). Guests count by address.',
    ),
  requests: positive.describe('Requests that come back in each period, evenly spread over it.'),
  per: period.describe('The period.'),
  burst: positive
    .optional()
    .describe('Requests that may come at once after a rest; left out: as `requests`.'),
});

export const rateLimits = z
  .strictObject({
    store: z
      .union([
        z.literal('memory'),
        z.strictObject({
          redis: redisUrl.describe('A Redis or Valkey server, as redis:// or, over TLS, rediss://.'),
        }),
      ])
      .prefault('memory')
      .describe('Where the counts are kept: in memory, or in Redis or Valkey for all replicas together.'),
    entries: positive
      .default(100_000)
      .describe(
        'Callers remembered in memory, at most, over all routes and workers; the idlest are forgotten.',
      ),
    onStoreFailure: z
      .enum(['open', 'closed'])
      .optional()
      .describe(
        'While Redis is away, limited routes are open (not limited) or closed (503). To be said with Redis.',
      ),
    timeout: patience
      .prefault('100ms')
      .describe('An answer of Redis is waited for no longer than this, at most 5s.'),
  })
  .prefault({})
  .describe('How the rate limits of routes are counted.');
