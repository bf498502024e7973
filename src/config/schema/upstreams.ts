import { z } from 'zod';
import { staticCredentials } from './pools.ts';
import { conditions } from './rules.ts';
import { duration, hiddenText, httpUrl, identifier, positive, roleArn, secret } from './scalars.ts';

const sign = z.strictObject({
  service: z.string().min(1).optional().describe('Read off an AWS host name when left out.'),
  region: z.string().min(1).optional().describe('Read off an AWS host name when left out.'),
  credentials: z
    .union([
      z.strictObject({ identityPool: identifier.describe("Each caller's own, from this identity pool.") }),
      z.strictObject({ source: z.literal('default').describe("The AWS SDK's default chain.") }),
      z.strictObject({ static: staticCredentials.describe('The same for every caller.') }),
    ])
    .describe('Whose credentials sign: one of these.'),
  roleArn: roleArn.nullable().default(null).describe('One role for all callers.'),
  roles: z
    .array(
      z.strictObject({
        when: conditions.describe('As in allow.'),
        roleArn: roleArn.describe('The role taken when it holds.'),
      }),
    )
    .default([])
    .describe('Roles by rules; the first that matches wins.'),
  payload: z
    .enum(['hash', 'unsigned', 'stream'])
    .default('hash')
    .describe('hash: the body is held and hashed; unsigned: S3 over https; stream: S3 uploads of any size.'),
  stsEndpoint: httpUrl
    .nullable()
    .default(null)
    .describe('Another STS endpoint, for roles assumed with the default or static credentials.'),
});
export type SignConfig = z.output<typeof sign>;

/** Whoever waits holds a connection and perhaps a body: a long queue helps nobody. */
const queueWait = duration
  .refine((milliseconds) => milliseconds <= 10_000, 'expected a duration of at most 10s')
  .meta({ title: 'duration' });

/** A path is put before the request's, and two slashes at its beginning would make a host of what follows. */
export const upstreamUrl = httpUrl.refine(
  (text) => !URL.parse(text)?.pathname.includes('//'),
  'expected a path without empty segments',
);

export const upstream = z
  .strictObject({
    url: upstreamUrl.optional().describe('Where requests are sent; a path in it is put before theirs.'),
    urls: z
      .array(upstreamUrl)
      .min(1)
      .optional()
      .describe('Several addresses: round robin, failing ones set aside.'),
    timeouts: z
      .strictObject({
        connect: duration.prefault('2s').describe('For a connection to be made.'),
        response: duration.prefault('30s').describe('From the request sent to the header section received.'),
        bodyIdle: duration.prefault('60s').describe('Without a byte of the answer arriving.'),
        keepAlive: duration
          .prefault('4s')
          .describe("An idle connection is closed after this; keep it below the upstream's own."),
      })
      .prefault({}),
    limits: z
      .strictObject({
        requests: positive
          .nullable()
          .default(null)
          .describe('Requests that it has to deal with at once, over all workers; null: no limit.'),
        queue: z
          .int()
          .min(0)
          .default(100)
          .describe('Requests that wait for their turn beyond those, over all workers; more are 503.'),
        wait: queueWait.prefault('1s').describe('The longest wait for a turn; then 503. At most 10s.'),
      })
      .prefault({})
      .describe('What it is spared. WebSockets are counted apart, by server.limits.webSockets.'),
    host: z
      .enum(['upstream', 'client'])
      .default('upstream')
      .describe("Whose Host header the upstream sees: its own name's, or the client's."),
    tls: z
      .strictObject({
        ca: hiddenText.optional().describe("PEM certificates to trust instead of the system's."),
        cert: hiddenText.optional().describe('A PEM client certificate chain.'),
        key: secret.optional().describe('Its key, in PEM.'),
        servername: z.string().min(1).optional().describe("The name to verify instead of the URL's."),
      })
      .nullable()
      .prefault(null)
      .describe('How https upstreams are verified, and what we show them.'),
    retries: z
      .int()
      .min(0)
      .max(5)
      .default(1)
      .describe('After failed connections, for idempotent requests without a body only.'),
    sign: sign.optional().describe('Sign what is sent with AWS Signature Version 4.'),
  })
  .superRefine((value, context) => {
    if ((value.url === undefined) === (value.urls === undefined)) {
      context.addIssue({ code: 'custom', message: 'expected either url or urls' });
    }
  });
export type UpstreamConfig = z.output<typeof upstream>;
