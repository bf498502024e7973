import { createHash } from 'node:crypto';
import { deny, RefusalError } from '../core/refusal.ts';

/**
 * Passes a body on whose hash the client has said, and which was signed for that hash. The last piece is held back until
 * the whole is known to match, so that no upstream ever has a complete body that was not the signed one.
 *
 * @param length of the body in bytes; more than none
 * @throws RefusalError SIGN_PAYLOAD_MISMATCH
 */
export async function* verifyHash(
  body: AsyncIterable<Buffer>,
  length: number,
  expected: string,
): AsyncGenerator<Buffer, void, undefined> {
  const hash = createHash('sha256');
  let passed = 0;
  for await (const bytes of body) {
    hash.update(bytes);
    passed += bytes.length;
    if (passed >= length && hash.digest('hex') !== expected) {
      throw new RefusalError(deny('SIGN_PAYLOAD_MISMATCH'));
    }
    yield bytes;
  }
}
