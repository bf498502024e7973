import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { RefusalError } from '../../../src/core/refusal.ts';
import { verifyHash } from '../../../src/sign/verify-hash.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const pieces = (...texts: string[]): Readable =>
  Readable.from(
    texts.map((text) => Buffer.from(text)),
    { objectMode: false },
  );

describe('a body whose hash the client said', () => {
  it('passes where it has that hash', async () => {
    const passed: string[] = [];
    for await (const part of verifyHash(pieces('hel', 'lo'), 5, sha256('hello')))
      passed.push(part.toString());
    expect(passed.join('')).toBe('hello');
  });

  it.each([['other'], [sha256('Hello')], [sha256('hello!')]])(
    'never passes whole where it has not (%s)',
    async (expected) => {
      const passed: string[] = [];
      let error: unknown;
      try {
        for await (const part of verifyHash(pieces('hel', 'lo'), 5, expected)) passed.push(part.toString());
      } catch (reason) {
        error = reason;
      }
      expect(passed.join('')).toBe('hel');
      expect((error as RefusalError).refusal.code).toBe('SIGN_PAYLOAD_MISMATCH');
    },
  );

  it('passes nothing at all of a single piece that is wrong', async () => {
    const body = verifyHash(pieces('hello'), 5, sha256('x'));
    await expect(body.next()).rejects.toBeInstanceOf(RefusalError);
  });
});
