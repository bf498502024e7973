import type { Refusal } from '../core/refusal.ts';
import { type HmacKey, hmac, hmacKey } from './hmac.ts';

/** An access key to sign with. Held in memory only; nothing here is ever logged. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | null;
  /** Monotonic milliseconds at which they stop working; Infinity: never. */
  readonly expiresAt: number;
  /** The signing key last derived, kept because a day's requests of one caller mostly need the same. */
  derived: { readonly scope: string; readonly key: HmacKey } | null;
}

export function credentials(
  accessKeyId: string,
  secretAccessKey: string,
  sessionToken: string | null,
  expiresAt: number,
): Credentials {
  return { accessKeyId, secretAccessKey, sessionToken, expiresAt, derived: null };
}

/**
 * The key of Signature Version 4 ("Derive a signing key", IAM User Guide). The library's own cache holds fifty keys for
 * the whole process; this one is as large as the credentials it sits beside.
 * @param scope `date/region/service/aws4_request`
 */
export function signingKey(credentials: Credentials, scope: string): HmacKey {
  if (credentials.derived?.scope === scope) return credentials.derived.key;
  const secret = Buffer.from(`AWS4${credentials.secretAccessKey}`, 'utf8').toString('latin1');
  const key = scope
    .split('/')
    .reduce((derived, part) => hmacKey(hmac(derived, part, 'binary')), hmacKey(secret));
  credentials.derived = { scope, key };
  return key;
}

/** Whose credentials are wanted. */
export interface CredentialRequest {
  /** What they are remembered under: no two callers, and no two roles of one, have the same. */
  readonly key: string;
  /** The caller, whatever the role: what an identity id is remembered under. */
  readonly caller: string;
  readonly roleArn: string | null;
  /** Provider name to token; empty for a guest and where all callers have one identity. */
  readonly logins: Readonly<Record<string, string>>;
  /** The user as a developer provider names it. */
  readonly developerUser: string | null;
  /** The identity that a token names by itself; null: the identity pool is asked. */
  readonly identityId: string | null;
  /** Says in AWS's logs who it was. */
  readonly sessionName: string;
  /** Milliseconds since the epoch after which a token that came along is no longer good; null: none came. */
  readonly notAfter: number | null;
}

/** Gives credentials: at once where they are remembered, so that most requests never wait. */
export interface CredentialSource {
  get(request: CredentialRequest): Credentials | Refusal | Promise<Credentials | Refusal>;
}
