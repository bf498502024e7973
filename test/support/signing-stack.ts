import type { JsonWebKey } from 'node:crypto';
import type { Clock } from '../../src/core/ports.ts';
import {
  type IdentityPoolEmulator,
  type IdentityPoolEmulatorOptions,
  startIdentityPoolEmulator,
} from '../../src/dev/identity-pool-emulator.ts';
import type { EmulatedIdentityPool } from '../../src/dev/identity-pool-operations.ts';
import type { LoginProvider } from '../../src/dev/login-token.ts';
import { CLIENT_ID, POOL_ID, type ProxyConfig, type ProxyUnderTest, startProxy } from './proxy.ts';
import { type SignedUpstream, type SignedUpstreamOptions, startSignedUpstream } from './signed-upstream.ts';
import { idClaims, signToken, type TokenClaims } from './token-factory.ts';

export const IDENTITY_POOL_ID = 'us-east-1:11111111-2222-3333-4444-555555555555';
export const PROVIDER = `cognito-idp.us-east-1.amazonaws.com/${POOL_ID}`;
export const USER_ROLE = 'arn:aws:iam::111122223333:role/users';
export const GUEST_ROLE = 'arn:aws:iam::111122223333:role/guests';

type Upstreams = NonNullable<ProxyConfig['upstreams']>;
type IdentityPoolInput = Partial<NonNullable<ProxyConfig['identityPools']>[string]>;
export type SignInput = NonNullable<Upstreams[string]['sign']>;

const OTHER_POOL = 'us-east-1_Other0001';

/** A proxy whose upstream trusts nothing but signatures, with the identity pool that gives credentials. */
export interface SigningStack {
  readonly proxy: ProxyUnderTest;
  readonly emulator: IdentityPoolEmulator;
  readonly upstream: SignedUpstream;
  /** The configuration it runs with, with changes to the identity pool, for a reload. */
  config(identityPool?: IdentityPoolInput): ProxyConfig;
  /** An ID token of a user; claims change or, when undefined, take away. */
  idToken(username?: string, claims?: TokenClaims): string;
  /** The identity that the last request reached the upstream as; undefined for what is not signed by one. */
  identity(): string | undefined;
  stop(): Promise<void>;
}

export interface SigningStackOptions {
  /**
   * How the upstream is signed, beside what the harness says: execute-api in us-east-1, the identity pool. A function
   * is given the origin of the emulator.
   */
  readonly sign?: Partial<SignInput> | ((emulator: string) => Partial<SignInput>);
  /** Settings of the identity pool, beside its id and endpoints. */
  readonly identityPool?: IdentityPoolInput;
  /** How the emulated pool is set up. */
  readonly pool?: Partial<EmulatedIdentityPool>;
  readonly emulator?: Partial<Omit<IdentityPoolEmulatorOptions, 'pools'>>;
  /** Tokens of further providers, by their names. */
  readonly providers?: Readonly<Record<string, LoginProvider>>;
  readonly upstream?: Partial<SignedUpstreamOptions>;
  readonly server?: ProxyConfig['server'];
  readonly config?: Partial<ProxyConfig>;
  readonly clock?: Clock;
  /** Clients of the user pool. Default: the one that tokens are made for. */
  readonly clientIds?: readonly string[];
  /** The user pool that the identity pool is for. Default: the one that tokens are made for. */
  readonly identityPoolFor?: 'main' | 'other';
  /** Kinds of token the pool takes from callers. Default: both. */
  readonly tokenUse?: readonly ('access' | 'id')[];
  /** Addresses of the upstream instead of the judge's own, and addresses before it. */
  readonly addresses?: readonly string[];
  readonly otherAddresses?: readonly string[];
  readonly host?: 'upstream' | 'client';
  /** Where the proxy looks for HTTPS_PROXY and its kin. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Another user pool than the harness's own, with real sign-ins. */
  readonly userPool?: { readonly userPoolId: string; readonly clientId: string; readonly issuer: string };
  /** Long-term access keys that the upstream knows too. */
  readonly accessKeys?: Readonly<Record<string, string>>;
}

export async function startSigningStack(options: SigningStackOptions = {}): Promise<SigningStack> {
  const providers: Record<string, LoginProvider> = { ...options.providers };
  const emulator = await startIdentityPoolEmulator({
    pools: [
      {
        identityPoolId: IDENTITY_POOL_ID,
        providers,
        authenticatedRole: USER_ROLE,
        ...options.pool,
      },
    ],
    ...(options.accessKeys === undefined ? {} : { accessKeys: options.accessKeys }),
    ...options.emulator,
  });
  const upstream = await startSignedUpstream({
    credentialsOf(accessKeyId) {
      const secretAccessKey = options.accessKeys?.[accessKeyId];
      return secretAccessKey === undefined
        ? emulator.credentialsOf(accessKeyId)
        : { secretAccessKey, sessionToken: null };
    },
    ...options.upstream,
  });
  const upstreams: Upstreams = {
    signed: {
      urls: [...(options.otherAddresses ?? []), ...(options.addresses ?? [upstream.origin])],
      host: options.host ?? 'upstream',
      sign: {
        service: 'execute-api',
        region: 'us-east-1',
        credentials: { identityPool: 'main' },
        ...(typeof options.sign === 'function' ? options.sign(emulator.origin) : options.sign),
      },
    },
  };
  const { userPool } = options;
  const config = (identityPool: IdentityPoolInput = {}): ProxyConfig => ({
    identityPools: {
      main: {
        identityPoolId: IDENTITY_POOL_ID,
        userPool: options.identityPoolFor ?? 'main',
        endpoint: emulator.origin,
        stsEndpoint: emulator.origin,
        callsPerSecond: 1000,
        ...options.identityPool,
        ...identityPool,
      },
    },
    upstreams,
    ...(options.server === undefined ? {} : { server: options.server }),
    ...(userPool === undefined
      ? {}
      : {
          userPools: {
            main: {
              userPoolId: userPool.userPoolId,
              clientIds: [userPool.clientId],
              issuer: userPool.issuer,
              tokenUse: ['access', 'id'],
            },
          },
        }),
    routes: [{ id: 'signed', match: { path: '/{proxy+}' }, allow: 'optional', upstream: 'signed' }],
    ...options.config,
  });
  const proxy = await startProxy(config(), {
    tokenUse: options.tokenUse ?? ['access', 'id'],
    ...(options.clientIds === undefined ? {} : { clientIds: options.clientIds }),
    ...(options.identityPoolFor === 'other'
      ? {
          otherPools: (issuerOf) => ({
            other: { userPoolId: OTHER_POOL, clientIds: null, issuer: issuerOf(OTHER_POOL) },
          }),
        }
      : {}),
    ...(options.clock === undefined ? {} : { clock: options.clock }),
    ...(options.environment === undefined ? {} : { environment: options.environment }),
  });
  const { issuer, key } = proxy;
  providers[PROVIDER] = {
    issuer,
    audiences: [CLIENT_ID],
    keys: () => [key.jwk],
    ignoreExpiry: options.emulator?.now !== undefined,
  };
  if (userPool !== undefined) {
    const [region] = userPool.userPoolId.split('_');
    providers[`cognito-idp.${region}.amazonaws.com/${userPool.userPoolId}`] = {
      issuer: userPool.issuer,
      audiences: [userPool.clientId],
      keys: () => fetchKeys(userPool.issuer),
    };
  }

  return {
    proxy,
    emulator,
    upstream,
    config,
    idToken: (username = 'alice', claims = {}) =>
      signToken(key, idClaims({ issuer, clientId: CLIENT_ID, username }, claims)),
    identity: () => emulator.credentialsOf(upstream.last.accessKeyId)?.identityId ?? undefined,
    async stop() {
      await proxy.stop();
      await upstream.stop();
      await emulator.stop();
    },
  };
}

async function fetchKeys(issuer: string): Promise<JsonWebKey[]> {
  const answer = await fetch(`${issuer}/.well-known/jwks.json`);
  return ((await answer.json()) as { keys: JsonWebKey[] }).keys;
}
