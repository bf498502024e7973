import { z } from 'zod';
import {
  duration,
  filePath,
  headerName,
  hiddenText,
  httpUrl,
  identifier,
  positive,
  roleArn,
  secret,
} from './scalars.ts';

const keyRefresh = {
  refresh: duration.prefault('1h').describe('How often the keys are fetched again in the background.'),
  maxStale: duration.prefault('24h').describe('How long keys stay in use while they cannot be fetched.'),
  timeout: duration.prefault('1500ms').describe('One fetch is given up after this.'),
};

const keys = z
  .union([
    z.strictObject({ file: filePath.describe('A JSON Web Key Set on disk: nothing is fetched.') }),
    z.strictObject({
      url: httpUrl.optional().describe("Where the key set is, instead of the issuer's own address."),
      ...keyRefresh,
    }),
  ])
  .prefault({})
  .describe('Where the keys that verify tokens come from: a file, or else an address.');

const clientIdsMissing = ({ input }: { input?: unknown }): string | undefined =>
  input === undefined
    ? 'is missing: list the app clients whose tokens are accepted, or write null to accept any client of this pool'
    : undefined;

export const userPool = z.strictObject({
  userPoolId: z
    .string()
    .regex(/^[a-z0-9-]+_[A-Za-z0-9]+$/, 'expected a user pool id such as us-east-1_AbCdEf123')
    .describe('The id that Cognito gave the pool; region and issuers are read off it.'),
  clientIds: z
    .array(z.string().min(1), { error: clientIdsMissing })
    .min(1)
    .nullable()
    .describe('App clients whose tokens are accepted; null accepts any client of this pool.'),
  tokenUse: z
    .array(z.enum(['access', 'id']))
    .min(1)
    .default(['access'])
    .describe('Kinds of token accepted.'),
  graceSeconds: z
    .int()
    .min(0)
    .max(300)
    .default(0)
    .describe('Clock skew tolerated for exp and nbf, in seconds.'),
  issuer: httpUrl.optional().describe('Instead of the two issuers derived from the id; http in dev only.'),
  keys,
});
export type UserPoolConfig = z.output<typeof userPool>;

/** Credentials that are the same for every caller. */
export const staticCredentials = z.strictObject({
  accessKeyId: hiddenText.describe('The id of an access key.'),
  secretAccessKey: secret.describe('Its secret.'),
  sessionToken: secret.nullable().prefault(null).describe('With temporary credentials.'),
});

/** Credentials of the proxy itself: the AWS SDK's own search, or an access key. */
const ownCredentials = z.union([
  z.strictObject({ source: z.literal('default').describe("The AWS SDK's default chain.") }),
  z.strictObject({ static: staticCredentials.describe('An access key.') }),
]);

const login = z.union([
  z.strictObject({ header: headerName.describe("The request header that carries the provider's token.") }),
  z.strictObject({
    claim: z
      .string()
      .min(1)
      .describe('A developer provider: the claim that names the user to it, such as sub.'),
    credentials: ownCredentials.describe('Credentials that may call GetOpenIdTokenForDeveloperIdentity.'),
  }),
]);

export const identityPool = z.strictObject({
  identityPoolId: z
    .string()
    .regex(
      /^[a-z0-9-]+:[0-9a-fA-F-]{36}$/,
      'expected an identity pool id such as us-east-1:11111111-2222-3333-4444-555555555555',
    )
    .describe('The id that Cognito gave the identity pool.'),
  userPool: identifier.describe('The user pool, by its name in this file, whose ID tokens are exchanged.'),
  flow: z
    .enum(['enhanced', 'basic'])
    .default('enhanced')
    .describe(
      'enhanced: GetCredentialsForIdentity; basic: GetOpenIdToken, then the role is assumed with it.',
    ),
  roleArn: roleArn.optional().describe('The role that the basic flow assumes.'),
  callsPerSecond: z.number().positive().default(20).describe('The service is never asked faster than this.'),
  endpoint: httpUrl
    .nullable()
    .default(null)
    .describe('Another Cognito endpoint: an emulator, a VPC endpoint.'),
  stsEndpoint: httpUrl.nullable().default(null).describe('Another STS endpoint.'),
  guest: z
    .boolean()
    .default(false)
    .describe("Whether callers without a token get the pool's guest identity."),
  logins: z
    .record(z.string().min(1), login)
    .nullable()
    .prefault(null)
    .describe('Other providers, by their names in the identity pool: where their tokens come from.'),
  timeout: duration.prefault('5s').describe('One call to the service is given up after this.'),
});
export type IdentityPoolConfig = z.output<typeof identityPool>;

export const tokenCache = z
  .strictObject({
    entries: positive.default(50_000).describe('Verified tokens remembered, at most, in each worker.'),
  })
  .prefault({})
  .describe('What is remembered of tokens already verified.');

export const credentialCache = z
  .strictObject({
    entries: positive
      .default(10_000)
      .describe(
        'Callers of each identity pool whose AWS credentials are remembered, at most, in each worker.',
      ),
  })
  .prefault({})
  .describe('What is remembered of credentials already fetched.');
