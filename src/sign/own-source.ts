import type { Clock, Logger } from '../core/ports.ts';
import type { Refusal } from '../core/refusal.ts';
import type { AwsKey } from './aws-clients.ts';
import type { CallService } from './call-service.ts';
import type { CredentialCache } from './credential-cache.ts';
import {
  type CredentialRequest,
  type CredentialSource,
  type Credentials,
  credentials,
} from './credentials.ts';
import { readAwsError } from './read-aws-error.ts';
import type { TokenService } from './token-service.ts';

export interface OwnSourceOptions {
  readonly name: string;
  /** The proxy's own access key; rejects where there is none. */
  readonly key: () => Promise<AwsKey>;
  readonly tokens: TokenService;
  readonly callSts: CallService;
  readonly cache: CredentialCache;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Credentials of the proxy itself, the same for every caller, with a role assumed on top where one is named. */
export function createOwnSource(options: OwnSourceOptions): CredentialSource {
  const { name, key, tokens, callSts, cache, clock, logger } = options;

  const take = async ({ roleArn, sessionName }: CredentialRequest): Promise<Credentials> => {
    if (roleArn !== null) {
      const given = await callSts('self', [], () => tokens.assumeRole(roleArn, sessionName));
      const expiresAt = clock.monotonic() + given.lifetime;
      return credentials(given.accessKeyId, given.secretAccessKey, given.sessionToken, expiresAt);
    }
    const { accessKeyId, secretAccessKey, sessionToken, expiration } = await key();
    const lifetime = expiration === undefined ? Number.POSITIVE_INFINITY : expiration.getTime() - clock.now();
    return credentials(accessKeyId, secretAccessKey, sessionToken ?? null, clock.monotonic() + lifetime);
  };

  const fetch = async (request: CredentialRequest): Promise<Credentials | Refusal> => {
    try {
      return await take(request);
    } catch (error) {
      const refusal = readAwsError(error, 'self', []);
      logger.warn({ source: name, code: refusal.code, err: refusal.cause }, 'no credentials');
      return refusal;
    }
  };

  return { get: (request) => cache.get(request.key, () => fetch(request)) };
}
