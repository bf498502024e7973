import { randomBytes } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { createCredentialCache } from '../../../src/sign/credential-cache.ts';
import { credentials, signingKey } from '../../../src/sign/credentials.ts';
import { createIdentityIds } from '../../../src/sign/identity-ids.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

/** Entries of the cache by default, and bytes of session token that Cognito gives a user with some principal tags. */
const ENTRIES = 10_000;
const TOKEN_BYTES = 1_200;

function memoryNow(collect: () => void): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

describe('the credentials of ten thousand callers', () => {
  it('take a few kilobytes each, however many callers come after them', { timeout: 120_000 }, async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const clock = createFakeClock();
    const before = memoryNow(collect);
    const cache = createCredentialCache({ entries: ENTRIES, clock, observe: () => undefined });
    const ids = createIdentityIds(ENTRIES);

    const fill = async (from: number, count: number): Promise<void> => {
      for (let i = from; i < from + count; i++) {
        const caller = JSON.stringify([
          `https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Test00001`,
          `subject-${i}`,
          '',
        ]);
        await ids.find(caller, async () => `us-east-1:${randomBytes(18).toString('hex')}`);
        const key = `${caller} arn:aws:iam::111122223333:role/users `;
        const token = randomBytes((TOKEN_BYTES * 3) / 4).toString('base64');
        const made = credentials(
          `ASIA${i}`,
          randomBytes(30).toString('base64'),
          token,
          clock.monotonic() + 3_600_000,
        );
        signingKey(made, '20300101/us-east-1/execute-api/aws4_request');
        await cache.get(key, async () => made);
      }
    };
    await fill(0, ENTRIES);
    const full = memoryNow(collect) - before;
    await fill(ENTRIES, ENTRIES);
    const afterwards = memoryNow(collect) - before;

    // docs/signing.md says 40 MB.
    expect(full).toBeLessThan(40_000_000);
    expect(afterwards).toBeLessThan(40_000_000);
    expect(cache.get(`${JSON.stringify(['x'])} `, async () => credentials('A', 's', null, 0))).toBeInstanceOf(
      Promise,
    );
    process.stdout.write(`credentials of ${ENTRIES} callers: ${(full / 1e6).toFixed(1)} MB\n`);
  });
});
