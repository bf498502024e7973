import { expect, it } from 'vitest';
import { createOwnHeaders } from '../../../src/listen/own-headers.ts';
import { STYLE_HASH } from '../../../src/listen/refusal-page.ts';

it('are those of helmet, strict for a page that loads nothing', () => {
  const list = createOwnHeaders();
  const headers = Object.fromEntries(list.flatMap((_, i) => (i % 2 === 0 ? [[list[i], list[i + 1]]] : [])));
  expect(headers).toEqual({
    'cache-control': 'no-store',
    'content-security-policy': `default-src 'none';style-src ${STYLE_HASH};base-uri 'none';form-action 'none';frame-ancestors 'none'`,
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'origin-agent-cluster': '?1',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-dns-prefetch-control': 'off',
    'x-download-options': 'noopen',
    'x-frame-options': 'SAMEORIGIN',
    'x-permitted-cross-domain-policies': 'none',
    'x-xss-protection': '0',
  });
});

it("are the same every time, and are nobody else's to change", () => {
  expect(createOwnHeaders()).toEqual(createOwnHeaders());
  expect(createOwnHeaders()).not.toBe(createOwnHeaders());
});
