import { hash } from 'node:crypto';

/** A key of HMAC-SHA256 made ready for many texts: the two blocks that hashing begins with (RFC 2104), as latin-1. */
export interface HmacKey {
  readonly inner: string;
  readonly outer: string;
}

/** Bytes of a block of SHA-256. */
const BLOCK = 64;

/** What is hashed is written here first: a buffer for each would be garbage. */
const SCRATCH = Buffer.allocUnsafeSlow(16_384);

/** @param secret as latin-1 */
export function hmacKey(secret: string): HmacKey {
  const bytes = secret.length > BLOCK ? sha256(secret, 'binary') : secret;
  return { inner: pad(bytes, 0x36), outer: pad(bytes, 0x5c) };
}

/**
 * HMAC-SHA256 of a text, in two calls that hash at once: node:crypto's Hmac is a stream with an object of OpenSSL's behind it, which
 * takes longer to make, and to collect, than to use.
 * @param text as latin-1
 * @param encoding of the result; binary, which is latin-1, for keys that are made of it
 */
export function hmac(key: HmacKey, text: string, encoding: 'hex' | 'binary'): string {
  return sha256(key.outer + sha256(key.inner + text, 'binary'), encoding);
}

/** @param text as latin-1 */
export function sha256(text: string, encoding: 'hex' | 'binary'): string {
  const bytes =
    text.length <= SCRATCH.length
      ? SCRATCH.subarray(0, SCRATCH.write(text, 'latin1'))
      : Buffer.from(text, 'latin1');
  return hash('sha256', bytes, encoding);
}

function pad(bytes: string, value: number): string {
  const block = Buffer.alloc(BLOCK, value);
  for (let i = 0; i < bytes.length; i++) block[i] = value ^ bytes.charCodeAt(i);
  return block.toString('latin1');
}
