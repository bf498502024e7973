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

/** Texts of 2 and 3 characters beyond a multiple of 4, the last of which says nothing but what is needed. */
const LAST_OF_TWO = 'AQgw';
const LAST_OF_THREE = 'AEIMQUYcgkosw048';

/** Headers remembered at most; a pool has one for each of its keys. */
const REMEMBERED_HEADERS = 64;
const LONGEST_REMEMBERED_HEADER = 512;

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
  const kid = readHeader(token.slice(0, first));
  const claims: Claims | null = readPart(token.slice(first + 1, second));
  if (kid === null || claims === null) return deny('AUTHN_TOKEN_MALFORMED');
  // Before the signature: `none` comes with an empty one, and should be told what is wrong with it.
  if (typeof kid !== 'string') return kid;
  const signature = decodeCanonically(token.slice(second + 1));
  if (signature === null) return deny('AUTHN_TOKEN_MALFORMED');
  return { kid, claims, signingInput: token.slice(0, second), signature };
}

const headers = new Map<string, string>();

/** @returns the key's id, why the header is refused, or null when it is none */
function readHeader(part: string): string | Refusal | null {
  const known = headers.get(part);
  if (known !== undefined) return known;
  const header = readPart(part);
  if (header === null) return null;
  if (header['alg'] !== 'RS256') return deny('AUTHN_ALGORITHM_UNSUPPORTED');
  for (const extension of ['crit', 'jwk', 'jku', 'x5u', 'x5c', 'b64']) {
    if (Object.hasOwn(header, extension)) return deny('AUTHN_HEADER_UNSUPPORTED');
  }
  const { kid } = header;
  if (typeof kid !== 'string' || kid === '' || kid.length > MAX_KEY_ID_LENGTH) return null;
  if (part.length <= LONGEST_REMEMBERED_HEADER) {
    if (headers.size >= REMEMBERED_HEADERS) headers.clear();
    // A copy: a part cut from a token keeps the whole token in memory.
    headers.set(Buffer.from(part, 'latin1').toString('latin1'), kid);
  }
  return kid;
}

function readPart(part: string): Readonly<Record<string, unknown>> | null {
  const bytes = decodeCanonically(part);
  return bytes === null ? null : readJsonObject(bytes);
}

/** Null unless the text is the one base64url spelling of its bytes (RFC 4648 section 3.5): no bit in it is without meaning. */
function decodeCanonically(text: string): Buffer | null {
  const beyond = text.length % 4;
  if (beyond === 1 || !BASE64URL.test(text)) return null;
  const last = text.charAt(text.length - 1);
  if (beyond === 2 && !LAST_OF_TWO.includes(last)) return null;
  if (beyond === 3 && !LAST_OF_THREE.includes(last)) return null;
  return Buffer.from(text, 'base64url');
}
