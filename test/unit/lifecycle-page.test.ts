import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { findRefusals, withRefusals } from '../support/refusals-decided.ts';

const PAGE = fileURLToPath(new URL('../../docs/request-lifecycle.md', import.meta.url));

describe('docs/request-lifecycle.md', () => {
  it('says of every code where it is decided', async () => {
    await expect(withRefusals(readFileSync(PAGE, 'utf8'))).toMatchFileSnapshot(PAGE);
  });

  it('knows a file for every code, and few enough to read in five minutes', () => {
    for (const { codes, files } of findRefusals()) {
      expect([codes, files.length > 0 && files.length <= 4]).toEqual([codes, true]);
    }
  });
});
