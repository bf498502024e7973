import { createHash, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { awsError, type Outcome } from './aws-answer.ts';
import type { CredentialRegister } from './issued-credentials.ts';
import { type LoginProvider, readLoginToken, type TokenClaims } from './login-token.ts';

/** An identity pool as set up in the console. */
export interface EmulatedIdentityPool {
  readonly identityPoolId: string;
  /** Providers by their name in `Logins`, such as `cognito-idp.us-east-1.amazonaws.com/us-east-1_AbCdEf123`. */
  readonly providers: Readonly<Record<string, LoginProvider>>;
  /** Name of the developer provider; left out: developer-authenticated identities are off. */
  readonly developerProvider?: string;
  readonly authenticatedRole: string;
  /** Left out: no guests. */
  readonly guestRole?: string;
  /** `token`: `cognito:preferred_role` decides, with the authenticated role where a token has none. */
  readonly roleMapping?: 'default' | 'token';
}

/** The name under which tokens of this service itself are logged in with. */
export const OWN_PROVIDER = 'cognito-identity.amazonaws.com';

export type Logins = Readonly<Record<string, string>>;

export interface IdentityPoolOperations {
  getId(input: { IdentityPoolId?: string; Logins?: Logins }): Promise<Outcome<{ IdentityId: string }>>;
  getCredentialsForIdentity(input: {
    IdentityId?: string;
    Logins?: Logins;
    CustomRoleArn?: string;
  }): Promise<Outcome<object>>;
  getOpenIdToken(input: {
    IdentityId?: string;
    Logins?: Logins;
  }): Promise<Outcome<{ IdentityId: string; Token: string }>>;
  getOpenIdTokenForDeveloperIdentity(input: {
    IdentityPoolId?: string;
    IdentityId?: string;
    Logins?: Logins;
    TokenDuration?: number;
  }): Promise<Outcome<{ IdentityId: string; Token: string }>>;
  /** This service as a provider: STS checks its tokens. */
  readonly ownProvider: LoginProvider;
  /** The logins that have become one identity, each as `provider subject`. */
  loginsOf(identityId: string): readonly string[];
  /** Forgets an identity, as DeleteIdentities does. */
  forget(identityId: string): void;
}

export interface IdentityPoolSettings {
  readonly pools: readonly EmulatedIdentityPool[];
  readonly register: CredentialRegister;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly sessionSeconds: number;
}

interface Identity {
  readonly id: string;
  readonly pool: EmulatedIdentityPool;
  /** `provider subject` of every linked login; none for a guest. */
  readonly logins: Set<string>;
}

const OPEN_ID_TOKEN_SECONDS = 600;

export function createIdentityPoolOperations(settings: IdentityPoolSettings): IdentityPoolOperations {
  const { pools, register, now, sessionSeconds } = settings;
  const identities = new Map<string, Identity>();
  const byLogin = new Map<string, Identity>();
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const kid = createHash('sha256')
    .update(publicKey.export({ format: 'der', type: 'spki' }))
    .digest('hex');
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' };

  const ownProvider: LoginProvider = {
    issuer: `https://${OWN_PROVIDER}`,
    audiences: null,
    keys: () => [jwk],
  };

  /** The claims of every login by provider, or the first problem. */
  async function readLogins(
    pool: EmulatedIdentityPool,
    logins: Logins,
  ): Promise<Outcome<{ claims: Record<string, TokenClaims> }>> {
    const claims: Record<string, TokenClaims> = {};
    for (const [name, token] of Object.entries(logins)) {
      const provider = name === OWN_PROVIDER ? ownProvider : pool.providers[name];
      if (provider === undefined) {
        return awsError(
          'NotAuthorizedException',
          'Token is not from a supported provider of this identity pool.',
        );
      }
      const read = await readLoginToken(token, provider, now());
      if (typeof read === 'string') return awsError('NotAuthorizedException', read);
      claims[name] = read;
    }
    return { claims };
  }

  /** The identity that these logins have, made if there is none. */
  function identify(pool: EmulatedIdentityPool, keys: readonly string[]): Identity {
    const known = keys.map((key) => byLogin.get(`${pool.identityPoolId} ${key}`)).find(Boolean);
    const [region = ''] = pool.identityPoolId.split(':');
    const identity = known ?? { id: `${region}:${randomUUID()}`, pool, logins: new Set() };
    for (const key of keys) {
      identity.logins.add(key);
      byLogin.set(`${pool.identityPoolId} ${key}`, identity);
    }
    identities.set(identity.id, identity);
    return identity;
  }

  /** The identity with this id, when these logins may speak for it. */
  async function authorize(
    id: string | undefined,
    logins: Logins,
  ): Promise<Outcome<{ identity: Identity; claims: Record<string, TokenClaims> }>> {
    const identity = identities.get(id ?? '');
    if (identity === undefined) return awsError('ResourceNotFoundException', `Identity '${id}' not found.`);
    const read = await readLogins(identity.pool, logins);
    if (!('claims' in read)) return read;
    const forbidden = awsError('NotAuthorizedException', `Access to Identity '${id}' is forbidden.`);
    const entries = Object.entries(read.claims);
    if (entries.length === 0 && identity.logins.size > 0) return forbidden;
    for (const [name, { sub }] of entries) {
      const own = name === OWN_PROVIDER ? sub === identity.id : identity.logins.has(`${name} ${sub}`);
      if (!own) return forbidden;
    }
    return { identity, claims: read.claims };
  }

  function openIdToken(identity: Identity, seconds: number): { IdentityId: string; Token: string } {
    const issuedAt = Math.floor(now() / 1000);
    const parts = [
      { alg: 'RS256', typ: 'JWS', kid },
      {
        sub: identity.id,
        aud: identity.pool.identityPoolId,
        amr: [identity.logins.size > 0 ? 'authenticated' : 'unauthenticated', ...identity.logins],
        iss: ownProvider.issuer,
        iat: issuedAt,
        exp: issuedAt + seconds,
      },
    ];
    const input = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    const signature = sign('sha256', Buffer.from(input), privateKey);
    return { IdentityId: identity.id, Token: `${input}.${signature.toString('base64url')}` };
  }

  const poolOf = (id: string | undefined): Outcome<EmulatedIdentityPool> =>
    pools.find((pool) => pool.identityPoolId === id) ??
    awsError('ResourceNotFoundException', `IdentityPool '${id}' not found.`);

  return {
    ownProvider,
    loginsOf: (id) => [...(identities.get(id)?.logins ?? [])],
    forget(id) {
      for (const [key, identity] of byLogin) if (identity.id === id) byLogin.delete(key);
      identities.delete(id);
    },

    async getId({ IdentityPoolId, Logins = {} }) {
      const pool = poolOf(IdentityPoolId);
      if ('error' in pool) return pool;
      const read = await readLogins(pool, Logins);
      if (!('claims' in read)) return read;
      const keys = Object.entries(read.claims).map(([name, { sub }]) => `${name} ${sub}`);
      if (keys.length === 0 && pool.guestRole === undefined) {
        return awsError(
          'NotAuthorizedException',
          'Unauthenticated access is not supported for this identity pool.',
        );
      }
      return { IdentityId: identify(pool, keys).id };
    },

    async getCredentialsForIdentity({ IdentityId, Logins = {}, CustomRoleArn }) {
      const authorized = await authorize(IdentityId, Logins);
      if (!('identity' in authorized)) return authorized;
      const roleArn = chooseRole(authorized.identity, Object.values(authorized.claims), CustomRoleArn);
      if (typeof roleArn !== 'string') return roleArn;
      const issued = register.issue(
        { roleArn, identityId: authorized.identity.id, sessionName: 'CognitoIdentityCredentials' },
        now() + sessionSeconds * 1000,
      );
      return {
        IdentityId: authorized.identity.id,
        Credentials: {
          AccessKeyId: issued.accessKeyId,
          SecretKey: issued.secretAccessKey,
          SessionToken: issued.sessionToken,
          Expiration: issued.expiresAt / 1000,
        },
      };
    },

    async getOpenIdToken({ IdentityId, Logins = {} }) {
      const authorized = await authorize(IdentityId, Logins);
      return 'identity' in authorized ? openIdToken(authorized.identity, OPEN_ID_TOKEN_SECONDS) : authorized;
    },

    async getOpenIdTokenForDeveloperIdentity({ IdentityPoolId, IdentityId, Logins = {}, TokenDuration }) {
      const pool = poolOf(IdentityPoolId);
      if ('error' in pool) return pool;
      const { developerProvider } = pool;
      const user = developerProvider === undefined ? undefined : Logins[developerProvider];
      if (developerProvider === undefined || user === undefined) {
        return awsError('InvalidParameterException', 'Please provide a valid public provider.');
      }
      const { [developerProvider]: _, ...others } = Logins;
      const read = await readLogins(pool, others);
      if (!('claims' in read)) return read;
      const keys = Object.entries(read.claims).map(([name, { sub }]) => `${name} ${sub}`);
      const identity = identify(pool, [`${developerProvider} ${user}`, ...keys]);
      if (IdentityId !== undefined && IdentityId !== identity.id) {
        return awsError('NotAuthorizedException', `Access to Identity '${IdentityId}' is forbidden.`);
      }
      return openIdToken(identity, TokenDuration ?? 900);
    },
  };
}

/** The order of "Using tokens to assign roles to users" in the Cognito developer guide. */
function chooseRole(
  { pool, logins }: Identity,
  claims: readonly TokenClaims[],
  customRoleArn: string | undefined,
): string | Outcome<never> {
  if (logins.size === 0) return pool.guestRole ?? awsError('NotAuthorizedException', 'Access is forbidden.');
  const listed = claims.flatMap((all) => (Array.isArray(all['cognito:roles']) ? all['cognito:roles'] : []));
  if (customRoleArn !== undefined) {
    return listed.includes(customRoleArn)
      ? customRoleArn
      : awsError('NotAuthorizedException', 'Role is not in the list of roles of the token.');
  }
  const preferred = claims
    .map((all) => all['cognito:preferred_role'])
    .find((role) => typeof role === 'string');
  return pool.roleMapping === 'token' && preferred !== undefined ? preferred : pool.authenticatedRole;
}
