import type { Clock, Logger } from '../core/ports.ts';
import { deny, type Refusal, RefusalError } from '../core/refusal.ts';
import type { IdentityPoolPlan } from '../core/signing.ts';
import type { TemporaryKey } from './aws-clients.ts';
import type { CallService } from './call-service.ts';
import type { CredentialCache } from './credential-cache.ts';
import {
  type CredentialRequest,
  type CredentialSource,
  type Credentials,
  credentials,
} from './credentials.ts';
import { createIdentityIds } from './identity-ids.ts';
import type { IdentityService } from './identity-service.ts';
import { isNotFound, readAwsError } from './read-aws-error.ts';
import type { TokenService } from './token-service.ts';

export interface IdentityPoolSourceOptions {
  readonly plan: IdentityPoolPlan;
  readonly identityPoolId: string;
  /** Callers to remember, at most. */
  readonly entries: number;
  readonly identities: IdentityService;
  readonly tokens: TokenService;
  /** Calls the identity pool, within its quota. */
  readonly callPool: CallService;
  readonly callSts: CallService;
  readonly cache: CredentialCache;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Each caller's own credentials, from a Cognito identity pool ("Identity pools authentication flow", Amazon Cognito
 * developer guide). A guest's always come by the enhanced flow: the role is the pool's.
 */
export function createIdentityPoolSource(options: IdentityPoolSourceOptions): CredentialSource {
  const { plan, identityPoolId, identities, tokens, callPool, callSts, cache, clock, logger } = options;
  const ids = createIdentityIds(options.entries);

  const assume = (request: CredentialRequest, token: string): Promise<TemporaryKey> => {
    const { roleArn, sessionName } = request;
    if (roleArn === null) throw new RefusalError(deny('SIGN_ROLE_DENIED'));
    return callSts('caller', [token], () => tokens.assumeRoleWithWebIdentity(roleArn, sessionName, token));
  };

  const exchangeFor = async (request: CredentialRequest, identityId: string): Promise<TemporaryKey> => {
    const { logins, roleArn } = request;
    const secrets = Object.values(logins);
    if (plan.flow === 'enhanced' || secrets.length === 0) {
      return callPool('caller', secrets, () => identities.getCredentials(identityId, logins, roleArn));
    }
    return assume(
      request,
      await callPool('caller', secrets, () => identities.getOpenIdToken(identityId, logins)),
    );
  };

  const exchange = async (request: CredentialRequest): Promise<TemporaryKey> => {
    const { logins, caller } = request;
    if (request.identityId !== null) return exchangeFor(request, request.identityId);
    const find = (): ReturnType<typeof ids.find> =>
      ids.find(caller, () =>
        callPool('caller', Object.values(logins), () => identities.getId(identityPoolId, logins)),
      );
    const { id, remembered } = await find();
    try {
      return await exchangeFor(request, id);
    } catch (error) {
      if (!remembered || !isNotFound(error)) throw error;
      // Deleted from the pool since: the caller gets a new identity.
      ids.forget(caller);
      return exchangeFor(request, (await find()).id);
    }
  };

  /** The word of the developer provider, given with credentials of our own, stands for a token of the caller's. */
  const exchangeForDeveloper = async (request: CredentialRequest, user: string): Promise<TemporaryKey> => {
    const logins = { ...request.logins, [plan.developer?.provider ?? '']: user };
    const { identityId, token } = await callPool('self', Object.values(request.logins), () =>
      identities.getDeveloperToken(identityPoolId, logins),
    );
    if (plan.flow === 'basic') return assume(request, token);
    return callPool('caller', [token], () =>
      identities.getCredentials(identityId, { [plan.ownProvider]: token }, request.roleArn),
    );
  };

  const fetch = async (request: CredentialRequest): Promise<Credentials | Refusal> => {
    try {
      const { developerUser, notAfter } = request;
      const key =
        developerUser === null ? await exchange(request) : await exchangeForDeveloper(request, developerUser);
      const lifetime = Math.min(key.lifetime, notAfter === null ? key.lifetime : notAfter - clock.now());
      return credentials(
        key.accessKeyId,
        key.secretAccessKey,
        key.sessionToken,
        clock.monotonic() + lifetime,
      );
    } catch (error) {
      const refusal = readAwsError(error, 'caller', Object.values(request.logins));
      logger.warn({ source: plan.name, code: refusal.code, err: refusal.cause }, 'no credentials');
      return refusal;
    }
  };

  return { get: (request) => cache.get(request.key, () => fetch(request)) };
}
