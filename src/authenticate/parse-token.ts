import type { Claims } from '../core/principal.ts';
import { deny, type Refusal } from '../core/refusal.ts';
import { readJsonObject } from './read-json-object.ts';

/** A token taken apart. Nothing in it is verified yet. */
export interface ParsedToken {
  readonly kid: string;
  readonly claims: Claims;
  /** What the signature covers: header and payload as sent. */
  readonly signingInput: string;
  readonly signature: Buffer;
}

/** In characters, which are bytes in a JWT. */
const MAX_TOKEN_LENGTH = 16_384;

const MAX_KEY_ID_LENGTH = 256;

const BASE64URL = /^[A-Za-z0-9_-]+$/;

/**
 * Takes a JWT apart, strictly: exactly three parts (RFC 7515 section 7.1) in canonical base64url (decoders skip junk, so
 * that otherwise many spellings of one token would verify), the one algorithm RS256, a `kid`, and no header extension
 * that could move trust into the token (`crit`, `jwk`, `jku`, `x5u`, `x5c`; RFC 8725 sections 3.1 and 3.10).
 */
export function parseToken(token: string): ParsedToken | Refusal {
  if (token.length > MAX_TOKEN_LENGTH) return deny('AUTHN_TOKEN_TOO_LARGE');
  const first = token.indexOf('.');
  const second = token.indexOf('.', first + 1);
  if (first < 0 || second < 0 || token.indexOf('.', second + 1) >= 0) return deny('AUTHN_TOKEN_MALFORMED');
  const header = readPart(token.slice(0, first));
  const claims: Claims | null = readPart(token.slice(first + 1, second));
  if (header === null || claims === null) return deny('AUTHN_TOKEN_MALFORMED');

  // The algorithm first: `none` comes with an empty signature, and should be told what is wrong with it.
  if (header['alg'] !== 'RS256') return deny('AUTHN_ALGORITHM_UNSUPPORTED');
  for (const extension of ['crit', 'jwk', 'jku', 'x5u', 'x5c', 'b64']) {
    if (Object.hasOwn(header, extension)) return deny('AUTHN_HEADER_UNSUPPORTED');
  }
  const { kid } = header;
  if (typeof kid !== 'string' || kid === '' || kid.length > MAX_KEY_ID_LENGTH) {
    return deny('AUTHN_TOKEN_MALFORMED');
  }
  const signature = decodeCanonically(token.slice(second + 1));
  if (signature === null) return deny('AUTHN_TOKEN_MALFORMED');
  return { kid, claims, signingInput: token.slice(0, second), signature };
}

function readPart(part: string): Readonly<Record<string, unknown>> | null {
  const bytes = decodeCanonically(part);
  return bytes === null ? null : readJsonObject(bytes);
}

/** Null unless the text is the one base64url spelling of its bytes (RFC 4648 section 3.5). */
function decodeCanonically(text: string): Buffer | null {
  if (!BASE64URL.test(text)) return null;
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : null;
}
