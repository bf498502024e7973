import { createPublicKey, type JsonWebKey, verify } from 'node:crypto';

/** A provider whose tokens an emulated identity pool accepts. */
export interface LoginProvider {
  /** Exact `iss` of its tokens. */
  readonly issuer: string;
  /** Clients its tokens may be for; null: any. */
  readonly audiences: readonly string[] | null;
  /** Its published keys, as of now. */
  readonly keys: () => readonly JsonWebKey[] | Promise<readonly JsonWebKey[]>;
  /** Takes expired tokens too: for when issuer and identity pool are made to disagree about the time. */
  readonly ignoreExpiry?: boolean;
}

export type TokenClaims = Readonly<Record<string, unknown>> & { readonly sub: string };

/**
 * Reads a token as an identity pool does: an OpenID Connect ID token, so `aud` has to be there.
 * @returns its claims, or in AWS's words what is wrong with it
 */
export async function readLoginToken(
  token: string,
  provider: LoginProvider,
  now: number,
): Promise<TokenClaims | string> {
  const [head = '', body = '', signature = '', ...rest] = token.split('.');
  const header = parsePart(head);
  const claims = parsePart(body);
  if (header === null || claims === null || rest.length > 0) {
    return "Invalid login token. Couldn't verify signed token.";
  }
  const jwk = (await provider.keys()).find((key) => key.kid === header.kid);
  if (header.alg !== 'RS256' || jwk === undefined || !isSigned(`${head}.${body}`, signature, jwk)) {
    return "Invalid login token. Couldn't verify signed token.";
  }
  if (claims.iss !== provider.issuer) return 'Invalid login token. Issuer doesn’t match providerName';
  if (typeof claims.aud !== 'string') return 'Invalid login token. Missing a required claim: aud';
  if (provider.audiences !== null && !provider.audiences.includes(claims.aud)) {
    return 'Token is not from a supported provider of this identity pool.';
  }
  const { exp, sub } = claims;
  if (typeof exp !== 'number' || (exp * 1000 <= now && provider.ignoreExpiry !== true)) {
    return `Invalid login token. Token expired: ${String(exp)} < ${Math.floor(now / 1000)}`;
  }
  if (typeof sub !== 'string') return 'Invalid login token. Missing a required claim: sub';
  return { ...claims, sub };
}

function parsePart(part: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function isSigned(input: string, signature: string, jwk: JsonWebKey): boolean {
  const key = createPublicKey({ key: jwk, format: 'jwk' });
  return verify('sha256', Buffer.from(input), key, Buffer.from(signature, 'base64url'));
}
