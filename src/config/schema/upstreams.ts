import { z } from 'zod';
import { staticCredentials } from './pools.ts';
import { conditions } from './rules.ts';
import { duration, httpUrl, identifier, secret } from './scalars.ts';

const roleArn = z.string().regex(/^arn:[a-z-]+:iam::\d{12}:role\/.+$/, 'expected the ARN of an IAM role');

const sign = z.strictObject({
  service: z.string().min(1).optional().describe('Read off an AWS host name when left out.'),
  region: z.string().min(1).optional().describe('Read off an AWS host name when left out.'),
  credentials: z.union([
    z.strictObject({ identityPool: identifier }),
    z.strictObject({ source: z.literal('default') }),
    z.strictObject({ static: staticCredentials }),
  ]),
  roleArn: roleArn.nullable().default(null).describe('One role for all callers.'),
  roles: z
    .array(z.strictObject({ when: conditions, roleArn }))
    .default([])
    .describe('Roles by rules; the first that matches wins.'),
  payload: z.enum(['hash', 'unsigned', 'stream']).default('hash'),
  stsEndpoint: httpUrl
    .nullable()
    .default(null)
    .describe('Another STS endpoint for roles assumed with the default or static credentials.'),
});
export type SignConfig = z.output<typeof sign>;

export const upstream = z
  .strictObject({
    url: httpUrl.optional(),
    urls: z
      .array(httpUrl)
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
    host: z
      .enum(['upstream', 'client'])
      .default('upstream')
      .describe("Whose Host header the upstream sees: its own name's, or the client's."),
    tls: z
      .strictObject({
        ca: secret.optional(),
        cert: secret.optional(),
        key: secret.optional(),
        servername: z.string().min(1).optional(),
      })
      .nullable()
      .default(null),
    retries: z
      .int()
      .min(0)
      .max(5)
      .default(1)
      .describe('After failed connections, for idempotent requests without a body only.'),
    sign: sign.optional(),
  })
  .superRefine((value, context) => {
    if ((value.url === undefined) === (value.urls === undefined)) {
      context.addIssue({ code: 'custom', message: 'expected either url or urls' });
    }
  });
export type UpstreamConfig = z.output<typeof upstream>;
