import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type IdentityPoolEmulator,
  startIdentityPoolEmulator,
} from '../../src/dev/identity-pool-emulator.ts';

const IDENTITY_POOL_ID = 'us-east-1:11111111-2222-3333-4444-555555555555';
const DEVELOPER_PROVIDER = 'login.bench.example';
const OWN_KEY = { accessKeyId: 'AKIDBENCH', secretAccessKey: 'bench-secret' };

/** What a configuration needs besides, to have callers signed for with credentials of their own. */
export interface SignedUpstream {
  readonly identityPools: object;
  readonly sign: object;
  stop(): Promise<void>;
}

/**
 * Starts an identity pool. The proxy vouches for callers to it, so that their access tokens are enough and both entrants
 * get the same requests. It is asked about each caller once, while the entrants warm up.
 *
 * @param folder where the key of the proxy's own goes
 */
export async function startSignedUpstream(folder: string): Promise<SignedUpstream> {
  // No secret is taken out of a configuration.
  const secretFile = join(folder, 'own-secret-access-key');
  writeFileSync(secretFile, OWN_KEY.secretAccessKey);
  const ownKey = { ...OWN_KEY, secretAccessKey: { file: secretFile } };
  const emulator: IdentityPoolEmulator = await startIdentityPoolEmulator({
    pools: [
      {
        identityPoolId: IDENTITY_POOL_ID,
        providers: {},
        developerProvider: DEVELOPER_PROVIDER,
        authenticatedRole: 'arn:aws:iam::111122223333:role/bench',
      },
    ],
    accessKeys: { [OWN_KEY.accessKeyId]: OWN_KEY.secretAccessKey },
  });
  return {
    identityPools: {
      main: {
        identityPoolId: IDENTITY_POOL_ID,
        userPool: 'main',
        endpoint: emulator.origin,
        callsPerSecond: 1_000,
        logins: { [DEVELOPER_PROVIDER]: { claim: 'sub', credentials: { static: ownKey } } },
      },
    },
    sign: { service: 'execute-api', region: 'us-east-1', credentials: { identityPool: 'main' } },
    stop: () => emulator.stop(),
  };
}
