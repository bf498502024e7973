import type { JsonWebKey } from 'node:crypto';
import { startIdentityPoolEmulator } from './identity-pool-emulator.ts';
import type { KnownCredentials } from './verify-signature.ts';

/** The identity pool of the development stack, for the users of its user pool. */
export interface DevIdentityPool {
  readonly origin: string;
  readonly identityPoolId: string;
  readonly credentialsOf: (accessKeyId: string) => KnownCredentials | undefined;
  readonly stop: () => Promise<void>;
}

export interface DevUserPool {
  readonly userPoolId: string;
  readonly clientId: string;
  readonly issuer: string;
}

const IDENTITY_POOL_ID = 'us-east-1:11111111-2222-3333-4444-555555555555';
const USER_ROLE = 'arn:aws:iam::111122223333:role/users';

/** Starts on a free port of 127.0.0.1, wherever the rest listens: nobody but the proxy calls it. */
export async function startDevIdentityPool(userPool: DevUserPool): Promise<DevIdentityPool> {
  const { userPoolId, clientId, issuer } = userPool;
  const [region] = userPoolId.split('_');
  const emulator = await startIdentityPoolEmulator({
    pools: [
      {
        identityPoolId: IDENTITY_POOL_ID,
        providers: {
          [`cognito-idp.${region}.amazonaws.com/${userPoolId}`]: {
            issuer,
            audiences: [clientId],
            keys: () => fetchKeys(issuer),
          },
        },
        authenticatedRole: USER_ROLE,
      },
    ],
  });
  return {
    origin: emulator.origin,
    identityPoolId: IDENTITY_POOL_ID,
    credentialsOf: (accessKeyId) => emulator.credentialsOf(accessKeyId),
    stop: () => emulator.stop(),
  };
}

async function fetchKeys(issuer: string): Promise<readonly JsonWebKey[]> {
  const answer = await fetch(`${issuer}/.well-known/jwks.json`);
  const { keys } = (await answer.json()) as { keys: JsonWebKey[] };
  return keys;
}
