import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/** A key pair as a user pool has them, with the public half as Cognito publishes it. */
export interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly jwk: Readonly<Record<string, unknown>>;
}

/** Makes an RSA key; without a name it is named by its thumbprint, as Cognito's look. */
export function makeKey(kid?: string, bits = 2048): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: bits });
  const { e, n } = publicKey.export({ format: 'jwk' });
  const name = kid ?? createHash('sha256').update(String(n)).digest('base64');
  return {
    kid: name,
    privateKey,
    publicKey,
    jwk: { alg: 'RS256', e, kid: name, kty: 'RSA', n, use: 'sig' },
  };
}

export function keySet(...keys: readonly SigningKey[]): { keys: SigningKey['jwk'][] } {
  return { keys: keys.map((key) => key.jwk) };
}

/** The pool and client that tokens are made for. */
export interface TokenSubject {
  readonly issuer: string;
  readonly clientId: string;
  readonly username?: string;
  readonly groups?: readonly string[];
  readonly scopes?: readonly string[];
  /** Seconds since the epoch at which it is issued. Default: this moment. */
  readonly issuedAt?: number;
  /** Seconds it is good for. Default: an hour. */
  readonly lifetime?: number;
}

/** Claims by name; an undefined one is left out, so that a change can also take away. */
export type TokenClaims = Readonly<Record<string, unknown>>;

/** The claims of an access token as Cognito issues them ("Understanding the access token" in its developer guide). */
export function accessClaims(subject: TokenSubject, changes: TokenClaims = {}): TokenClaims {
  const { username = 'alice', groups, scopes = ['aws.cognito.signin.user.admin'] } = subject;
  return {
    ...commonClaims(subject, username),
    ...(groups && { 'cognito:groups': groups }),
    token_use: 'access',
    scope: scopes.join(' '),
    version: 2,
    client_id: subject.clientId,
    username,
    ...changes,
  };
}

/** The claims of an ID token as Cognito issues them ("Understanding the identity (ID) token"). */
export function idClaims(subject: TokenSubject, changes: TokenClaims = {}): TokenClaims {
  const { username = 'alice', groups } = subject;
  return {
    ...commonClaims(subject, username),
    ...(groups && { 'cognito:groups': groups }),
    token_use: 'id',
    aud: subject.clientId,
    'cognito:username': username,
    email: `${username}@example.com`,
    email_verified: true,
    ...changes,
  };
}

function commonClaims(subject: TokenSubject, username: string): TokenClaims {
  const issuedAt = subject.issuedAt ?? Math.floor(Date.now() / 1000);
  return {
    sub: uuidOf(username),
    iss: subject.issuer,
    origin_jti: uuidOf(`${username} origin ${issuedAt}`),
    event_id: uuidOf(`${username} event ${issuedAt}`),
    auth_time: issuedAt,
    iat: issuedAt,
    exp: issuedAt + (subject.lifetime ?? 3600),
    jti: uuidOf(`${username} ${issuedAt}`),
  };
}

/** The same name always has the same `sub`. */
function uuidOf(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');
}

/** A genuine token: RS256 over these claims. Undefined members of the header are left out. */
export function signToken(key: SigningKey, claims: unknown, header: TokenClaims = {}): string {
  return assembleToken({ kid: key.kid, alg: 'RS256', ...header }, claims, rs256(key));
}

/** Makes a signature over the bytes of `header.payload`. */
export type Signer = (signingInput: Buffer) => Buffer;

export function rs256(key: SigningKey): Signer {
  return (input) => sign('sha256', input, key.privateKey);
}

/**
 * Any token at all: strings and bytes are encoded as they are, everything else as JSON, and whatever the signer gives
 * is the signature. Nothing is checked.
 */
export function assembleToken(header: unknown, payload: unknown, signer: Signer): string {
  const signingInput = `${encodePart(header)}.${encodePart(payload)}`;
  return `${signingInput}.${signer(Buffer.from(signingInput, 'latin1')).toString('base64url')}`;
}

function encodePart(part: unknown): string {
  const bytes = Buffer.isBuffer(part)
    ? part
    : Buffer.from(typeof part === 'string' ? part : JSON.stringify(part), 'utf8');
  return bytes.toString('base64url');
}
