import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { createRequire } from 'node:module';
import type { ErrorCode } from '../../../src/core/errors.ts';
import {
  accessClaims,
  assembleToken,
  idClaims,
  makeKey,
  rs256,
  type SigningKey,
  signToken,
  type TokenClaims,
} from '../../support/token-factory.ts';

/** A token that must not be let in. */
export interface Mutant {
  readonly name: string;
  readonly code: ErrorCode;
  make(workshop: Workshop): string;
  /** Why aws-jwt-verify lets it in and we do not; left out where it refuses it too. */
  readonly awsTakesIt?: string;
}

/** Mutants that differ in one thing only. */
export function mutants(
  code: ErrorCode,
  rows: readonly (readonly [name: string, make: Mutant['make'], awsTakesIt?: string])[],
): Mutant[] {
  return rows.map(([name, make, awsTakesIt]) => ({
    name,
    code,
    make,
    ...(awsTakesIt !== undefined && { awsTakesIt }),
  }));
}

/** The pool of the API accepts access tokens only, that of the people ID tokens only. */
export const POOLS = {
  api: { userPoolId: 'us-east-1_ApiApi001', clientId: '1example23456789', tokenUse: 'access' },
  people: { userPoolId: 'us-east-1_People002', clientId: '2example23456789', tokenUse: 'id' },
} as const;

/** What tokens are made with. */
export interface Workshop {
  /** The key that signs genuine tokens. */
  readonly key: SigningKey;
  readonly otherPoolsKey: SigningKey;
  /** Keys that are published beside the genuine one, and must not verify anything. */
  readonly unusable: UnusableKeys;
  readonly issuer: string;
  readonly otherPoolsIssuer: string;
  /** Seconds since the epoch. */
  readonly now: number;
  /** Claims of a genuine access token, changed; undefined takes away. */
  access(changes?: TokenClaims): TokenClaims;
  /** Claims of a genuine ID token of the other pool, changed. */
  id(changes?: TokenClaims): TokenClaims;
  /** Signed with the genuine key, whatever it says. */
  sign(claims: unknown, header?: TokenClaims): string;
  /** Signed with the genuine key over exactly this text as header, and this as payload. */
  signText(header: string | Buffer, payload: string | Buffer): string;
  /** A genuine access token. */
  genuine(): string;
}

export interface UnusableKeys {
  readonly withoutAlg: SigningKey;
  readonly withoutUse: SigningKey;
  readonly forEncryption: SigningKey;
  readonly forRs512: SigningKey;
  readonly small: SigningKey;
  readonly elliptic: SigningKey;
  readonly symmetric: SigningKey;
  readonly emulator: SigningKey;
}

export function openWorkshop(): Workshop {
  const key = makeKey('genuine');
  const subjectOf = ({ userPoolId, clientId }: (typeof POOLS)[keyof typeof POOLS]) => ({
    issuer: issuerOf(userPoolId),
    clientId,
  });
  const access: Workshop['access'] = (changes) => accessClaims(subjectOf(POOLS.api), changes);
  return {
    key,
    otherPoolsKey: makeKey("other-pool's"),
    unusable: makeUnusableKeys(),
    issuer: issuerOf(POOLS.api.userPoolId),
    otherPoolsIssuer: issuerOf(POOLS.people.userPoolId),
    now: Math.floor(Date.now() / 1000),
    access,
    id: (changes) => idClaims(subjectOf(POOLS.people), changes),
    sign: (claims, header) => signToken(key, claims, header),
    signText: (header, payload) => assembleToken(header, payload, rs256(key)),
    genuine: () => signToken(key, access()),
  };
}

function issuerOf(userPoolId: string): string {
  return `https://cognito-idp.us-east-1.amazonaws.com/${userPoolId}`;
}

function makeUnusableKeys(): UnusableKeys {
  const published = (kid: string, changes: TokenClaims): SigningKey => {
    const key = makeKey(kid);
    return { ...key, jwk: JSON.parse(JSON.stringify({ ...key.jwk, ...changes })) };
  };
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    withoutAlg: published('without-alg', { alg: undefined }),
    withoutUse: published('without-use', { use: undefined }),
    forEncryption: published('for-encryption', { use: 'enc' }),
    forRs512: published('for-rs512', { alg: 'RS512' }),
    small: makeKey('small', 1024),
    elliptic: {
      kid: 'elliptic',
      privateKey,
      publicKey,
      jwk: { ...publicKey.export({ format: 'jwk' }), kid: 'elliptic', alg: 'ES256', use: 'sig' },
    },
    symmetric: {
      ...makeKey('symmetric'),
      jwk: {
        kty: 'oct',
        k: SYMMETRIC_SECRET.toString('base64url'),
        kid: 'symmetric',
        alg: 'HS256',
        use: 'sig',
      },
    },
    emulator: readEmulatorKey(),
  };
}

export const SYMMETRIC_SECRET: Buffer = Buffer.alloc(32, 'published by mistake');

/** The key pair that cognito-local carries in its npm package. */
function readEmulatorKey(): SigningKey {
  const require = createRequire(import.meta.url);
  const read = (half: 'private' | 'public') =>
    require(`cognito-local/lib/keys/cognitoLocal.${half}.json`) as {
      readonly pem: string;
      readonly jwk: SigningKey['jwk'];
    };
  const privateKey = createPrivateKey(read('private').pem);
  return {
    kid: String(read('public').jwk['kid']),
    privateKey,
    publicKey: createPublicKey(privateKey),
    jwk: read('public').jwk,
  };
}
