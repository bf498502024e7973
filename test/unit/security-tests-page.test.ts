import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const page = readFileSync(new URL('../../docs/security-tests.md', import.meta.url), 'utf8');
const docs = new URL('../../docs/', import.meta.url);

/** Each file that the page names, with each text that it says is in there. */
const cited = [...page.matchAll(/\[[^\]]+\]\((\.\.\/test\/[^)]+)\)((?:,? `[^`]+`)*)/g)].flatMap(
  ([, path = '', texts = '']) =>
    texts === '' ? [[path, '']] : [...texts.matchAll(/`([^`]+)`/g)].map(([, text = '']) => [path, text]),
);

describe('docs/security-tests.md', () => {
  it.each(cited)('names what is there: %s has %j', (path = '', text = '') => {
    expect(readFileSync(new URL(path, docs), 'utf8').replaceAll("\\'", "'")).toContain(text);
  });

  it('has every advisory that a test is named after', () => {
    const folder = fileURLToPath(new URL('../security/', import.meta.url));
    const texts = globSync('**/*.ts', { cwd: folder }).map((path) => readFileSync(folder + path, 'utf8'));
    const advisories = new Set(texts.flatMap((text) => text.match(/CVE-\d+-\d+|GHSA(?:-\w{4}){3}/g) ?? []));
    expect(advisories.size).toBeGreaterThan(15);
    expect([...advisories].filter((one) => !page.includes(one))).toEqual([]);
  });

  it('names every file of test/security and test/e2e/faults', () => {
    const folder = fileURLToPath(new URL('../', import.meta.url));
    const files = globSync(['security/*.test.ts', 'e2e/faults/*.test.ts'], { cwd: folder });
    const absent = files.filter((path) => !page.includes(`../test/${path}`));
    expect(absent).toEqual([]);
  });
});
