import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { footerOf, readingOrder, withFooter } from '../support/reading-order.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(`${ROOT}${path}`, 'utf8');

/** The changes are read from their top, and the decisions are a folder. */
const pages = readingOrder()
  .map(({ path }) => path)
  .filter((path) => path.endsWith('.md') && path !== 'CHANGELOG.md');

describe('docs/README.md', () => {
  const index = read('docs/README.md');

  it.each(['docs', 'docs/ko'])('leads to every page in %s', (folder) => {
    const names = readdirSync(`${ROOT}${folder}`).filter(
      (name) => name.endsWith('.md') && name !== 'README.md',
    );
    const prefix = folder === 'docs' ? '' : 'ko/';
    for (const name of names) expect(index, name).toContain(`](${prefix}${name})`);
  });

  it('numbers what it lists', () => {
    const numbers = [...index.matchAll(/^(\d+)\. /gm)].map(([, number]) => Number(number));
    expect(numbers).toEqual(numbers.map((_, at) => at + 1));
    expect(pages.length).toBeGreaterThan(18);
  });
});

describe('the last line of a page', () => {
  it.each(pages)('%s: leads back and on: vitest run test/unit/reading-order.test.ts -u', async (page) => {
    await expect(withFooter(read(page), footerOf(page))).toMatchFileSnapshot(`${ROOT}${page}`);
  });

  it('replaces the one that was there', () => {
    for (const page of pages) {
      const again = withFooter(read(page), footerOf('docs/limits.md'));
      expect(again.match(/\[Documentation\]\(/g), page).toHaveLength(1);
    }
  });
});
