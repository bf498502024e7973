import { afterEach, expect, it, vi } from 'vitest';
import { parseToken } from '../../../src/authenticate/parse-token.ts';
import { deny } from '../../../src/core/refusal.ts';

afterEach(() => vi.restoreAllMocks());

/**
 * CVE-2025-30204: golang-jwt split such tokens, and made a list as long as there are dots. What is counted is the work; what it takes in
 * time is not for a test to say.
 */
it.each(['.'.repeat(15_000), `${'a.'.repeat(8_000)}a`, `a.b.c${'.'.repeat(16_000)}`])(
  'a token of thousands of dots is neither split nor decoded: the fourth part is enough',
  (token) => {
    const find = vi.spyOn(String.prototype, 'indexOf');
    const others = [
      vi.spyOn(String.prototype, 'split'),
      vi.spyOn(String.prototype, 'slice'),
      vi.spyOn(String.prototype, 'match'),
      vi.spyOn(RegExp.prototype, 'exec'),
      vi.spyOn(Buffer, 'from'),
    ];
    const result = parseToken(token);
    const found = find.mock.results.map(({ value }) => value as number);
    const counts = others.map((spy) => spy.mock.calls.length);
    vi.restoreAllMocks();
    expect(result).toEqual(deny('AUTHN_TOKEN_MALFORMED'));
    expect(found).toHaveLength(3);
    expect(Math.max(...found)).toBeLessThan(6);
    expect(counts).toEqual([0, 0, 0, 0, 0]);
  },
);
