import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const page = readFileSync(new URL('../../docs/security-tests.md', import.meta.url), 'utf8');
const docs = new URL('../../docs/', import.meta.url);

/** What is to be tried, once more by hand: a row that is dropped from the page is missed. */
const ADVISORIES = [
  'CVE-2025-54576',
  'CVE-2026-41059',
  'CVE-2026-40575',
  'CVE-2026-34457',
  'CVE-2025-64484',
  'CVE-2026-33494',
  'CVE-2026-33496',
  'CVE-2021-32701',
  'GHSA-w9mr-28mw-j8hg',
  'CVE-2026-29054',
  'CVE-2026-40912',
  'CVE-2026-48020',
  'CVE-2025-66490',
  'CVE-2026-88009',
  'CVE-2026-71326',
  'CVE-2026-26998',
  'CVE-2026-30851',
  'CVE-2026-33808',
  'CVE-2026-22037',
  'CVE-2026-55602',
  'httpxy issue 79',
  'CVE-2026-21710',
  'CVE-2026-1525',
  'CVE-2022-23540',
  'CVE-2026-39999',
  'CVE-2026-34950',
  'CVE-2026-35042',
  'CVE-2026-22817',
  'CVE-2018-0114',
  'CVE-2025-30204',
  'CVE-2024-23326',
  'CVE-2025-24030',
  'CVE-2025-25294',
  'CVE-2022-21698',
  'toolhive issue 5835',
  'CVE-2026-15573',
];

/** The advisories by the first column of the first table. */
const listed = (page.split('## Faults')[0] ?? '')
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .slice(2)
  .flatMap((line) => (line.split('|')[1] ?? '').split(',').map((one) => one.trim()));

/** Each file that the page names, with each text that it says is in there. */
const cited = [...page.matchAll(/\[[^\]]+\]\((\.\.\/test\/[^)]+)\)((?:,? `[^`]+`)*)/g)].flatMap(
  ([, path = '', texts = '']) =>
    texts === '' ? [[path, '']] : [...texts.matchAll(/`([^`]+)`/g)].map(([, text = '']) => [path, text]),
);

describe('docs/security-tests.md', () => {
  it.each(cited)('names what is there: %s has %j', (path = '', text = '') => {
    expect(readFileSync(new URL(path, docs), 'utf8').replaceAll("\\'", "'")).toContain(text);
  });

  it('lists every advisory once', () => {
    expect(listed.toSorted()).toEqual(ADVISORIES.toSorted());
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
