import { createHash, createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hmac, hmacKey, sha256 } from '../../../src/sign/hmac.ts';

const latin1 = (most: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ maxLength: most, size: 'max' }).map((bytes) => Buffer.from(bytes));

describe('HMAC-SHA256', () => {
  // RFC 4231 section 4; the last two have keys longer than a block.
  it.each([
    ['0b'.repeat(20), '4869205468657265', 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'],
    [
      '4a656665',
      Buffer.from('what do ya want for nothing?').toString('hex'),
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    ],
    ['aa'.repeat(20), 'dd'.repeat(50), '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe'],
    [
      'aa'.repeat(131),
      Buffer.from('Test Using Larger Than Block-Size Key - Hash Key First').toString('hex'),
      '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
    ],
  ])('of the key %s', (key, text, expected) => {
    const read = (hex: string): string => Buffer.from(hex, 'hex').toString('latin1');
    expect(hmac(hmacKey(read(key)), read(text), 'hex')).toBe(expected);
  });

  it('is that of node:crypto, whatever the lengths', () => {
    fc.assert(
      fc.property(latin1(200), latin1(40_000), (key, text) => {
        const ours = hmac(hmacKey(key.toString('latin1')), text.toString('latin1'), 'hex');
        expect(ours).toBe(createHmac('sha256', key).update(text).digest('hex'));
      }),
      { numRuns: 300 },
    );
  });

  it.each([0, 63, 64, 65, 16_383, 16_384, 16_385])('hashes %i bytes', (length) => {
    const bytes = Buffer.alloc(length, 0xe4);
    expect(sha256(bytes.toString('latin1'), 'hex')).toBe(createHash('sha256').update(bytes).digest('hex'));
  });
});
