import { randomBytes } from 'node:crypto';
import type { Config } from '../config/schema/config.ts';
import { compileIdentityPool, signingScope } from '../sign/compile-signing.ts';
import { startIdentityPoolEmulator } from './identity-pool-emulator.ts';
import type { EmulatedIdentityPool } from './identity-pool-operations.ts';
import type { TokenIssuer } from './token-issuer.ts';
import type { KnownCredentials } from './verify-signature.ts';

/** Stands in for every identity pool of a configuration, for STS, and for the proxy's own rights. */
export interface StandInIdentities {
  /** The configuration with all of them in place. */
  replace(config: Config): Config;
  /** What the upstream judges signatures by. */
  readonly credentialsOf: (accessKeyId: string) => KnownCredentials | undefined;
  stop(): Promise<void>;
}

const ACCOUNT = 'arn:aws:iam::111122223333:role';
const OWN_KEY_ID = 'AKIASTANDIN000000000';

/** Starts on a free port of 127.0.0.1, wherever the rest listens: nobody but the proxy calls it. */
export async function startStandInIdentities(own: Config, issuer: TokenIssuer): Promise<StandInIdentities> {
  const secretAccessKey = randomBytes(20).toString('hex');
  const emulator = await startIdentityPoolEmulator({
    pools: emulatedPools(own, issuer),
    accessKeys: { [OWN_KEY_ID]: secretAccessKey },
  });
  const { origin } = emulator;
  const ownKey = { static: { accessKeyId: OWN_KEY_ID, secretAccessKey, sessionToken: null } };

  return {
    replace(config) {
      const pools = Object.entries(config.identityPools).map(([name, pool]) => [
        name,
        { ...pool, endpoint: origin, stsEndpoint: origin },
      ]);
      const upstreams = Object.entries(config.upstreams).map(([name, upstream]) => {
        const { sign } = upstream;
        const { [name]: original } = own.upstreams;
        if (sign === undefined || original === undefined) return [name, upstream];
        // Service and region may have been read off a host name that is no more.
        const scope = signingScope(original, sign);
        const credentials = 'identityPool' in sign.credentials ? sign.credentials : ownKey;
        return [name, { ...upstream, sign: { ...sign, ...scope, credentials, stsEndpoint: origin } }];
      });
      return {
        ...config,
        identityPools: Object.fromEntries(pools),
        upstreams: Object.fromEntries(upstreams),
      };
    },
    credentialsOf: (accessKeyId) =>
      accessKeyId === OWN_KEY_ID
        ? { secretAccessKey, sessionToken: null }
        : emulator.credentialsOf(accessKeyId),
    stop: () => emulator.stop(),
  };
}

function emulatedPools(own: Config, issuer: TokenIssuer): EmulatedIdentityPool[] {
  return Object.entries(own.identityPools).flatMap(([name, settings]) => {
    const userPool = own.userPools[settings.userPool];
    if (userPool === undefined) return [];
    const { provider, developer } = compileIdentityPool(own, name, settings);
    const login = {
      issuer: issuer.issuerOf(userPool.userPoolId),
      audiences: userPool.clientIds,
      keys: () => [issuer.jwk],
    };
    return {
      identityPoolId: settings.identityPoolId,
      providers: { [provider]: login },
      authenticatedRole: `${ACCOUNT}/${name}-users`,
      ...(settings.guest ? { guestRole: `${ACCOUNT}/${name}-guests` } : {}),
      ...(developer === null ? {} : { developerProvider: developer.provider }),
    };
  });
}
