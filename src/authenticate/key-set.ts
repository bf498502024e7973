import { KeyObject } from 'node:crypto';
import { calculateJwkThumbprint, importJWK } from 'jose';

/** Public keys by their ids. */
export type KeySet = ReadonlyMap<string, KeyObject>;

const MIN_MODULUS_BITS = 2048;
const MAX_KEYS = 100;

/**
 * The RFC 7638 thumbprint of the key that cognito-local, the user-pool emulator, has published with its private half on
 * npm: anyone can sign with it.
 */
const EMULATOR_KEY = 'jS8J3RuOy291lpsiFe2NfKV6VkdfMF4Q_840qOLXAjs';

/**
 * Reads a JSON Web Key Set (RFC 7517 section 5), keeping what can verify a Cognito token: RSA of at least 2048 bits, for
 * signatures, with RS256. Other members are passed over, as section 5 asks.
 *
 * @param dev whether the emulator's published key is accepted
 * @throws Error when the document is not a key set or holds no usable key
 */
export async function parseKeySet(document: string, dev: boolean): Promise<KeySet> {
  const parsed: unknown = JSON.parse(document);
  const members = isObject(parsed) ? parsed['keys'] : undefined;
  if (!Array.isArray(members)) throw new Error('not a JSON Web Key Set: no member "keys"');
  if (members.length > MAX_KEYS) throw new Error(`a key set of ${members.length} keys is refused`);
  const keys = new Map<string, KeyObject>();
  for (const member of members) {
    const key = await readKey(member, dev);
    if (key !== null) keys.set(key.kid, key.key);
  }
  if (keys.size === 0)
    throw new Error('the key set holds no usable key: RSA, 2048 bits, use sig, alg RS256, kid');
  return keys;
}

async function readKey(member: unknown, dev: boolean): Promise<{ kid: string; key: KeyObject } | null> {
  if (!isObject(member)) return null;
  const { kty, use, alg, kid, n, e } = member;
  if (kty !== 'RSA' || use !== 'sig' || alg !== 'RS256') return null;
  if (typeof kid !== 'string' || kid === '' || typeof n !== 'string' || typeof e !== 'string') return null;
  try {
    const imported = await importJWK({ kty, n, e, alg, use }, 'RS256');
    if (!(imported instanceof CryptoKey)) return null;
    const key = KeyObject.from(imported);
    if ((key.asymmetricKeyDetails?.modulusLength ?? 0) < MIN_MODULUS_BITS) return null;
    // Of the key as it was understood: there are many spellings of one.
    const thumbprint = await calculateJwkThumbprint(key.export({ format: 'jwk' }));
    return thumbprint === EMULATOR_KEY && !dev ? null : { kid, key };
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
