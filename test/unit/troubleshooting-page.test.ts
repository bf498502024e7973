import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ERRORS } from '../../src/core/errors.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const pages = [
  ['docs/troubleshooting.md', 'errors.md'],
  ['docs/ko/troubleshooting.md', '../errors.md'],
] as const;

/** Names on the page that are Kubernetes', AWS' or JavaScript's, or of a file. */
const NOT_OURS = new Set([
  'preStop',
  'readinessProbe',
  'idToken',
  'accessToken',
  'encodeURIComponent',
  'jwks.json',
  'aws.cognito.signin.user.admin',
]);

/** The rows of all tables that begin with a code. */
const rowsOf = (markdown: string): string[][] =>
  [...markdown.matchAll(/^\| (\[`[A-Z_]+`\].*) \|$/gm)].map(([, row = '']) =>
    row.split(' | ').map((cell) => cell.trim()),
  );

describe.each(pages)('%s', (page, errors) => {
  const rows = rowsOf(readFileSync(`${ROOT}${page}`, 'utf8'));

  it('has every code once, in the order of the table of errors, and leads to it', () => {
    const expected = Object.keys(ERRORS).map((code) => `[\`${code}\`](${errors}#${code.toLowerCase()})`);
    expect(rows.map(([code]) => code)).toEqual(expected);
  });

  it('says of each what is behind it and what to do', () => {
    for (const [code, cause = '', remedy = '', ...rest] of rows) {
      expect([code, cause.length > 4, remedy.length > 4, rest]).toEqual([code, true, true, []]);
    }
  });

  it('names no metric, key or code that is not there', () => {
    const text = readFileSync(`${ROOT}${page}`, 'utf8');
    const codes = [
      ...text.matchAll(/`((?:REQUEST|ROUTE|AUTHN|AUTHZ|SIGN|UPSTREAM|LIMIT|INTERNAL)_[A-Z_]+)`/g),
    ];
    for (const [, code = ''] of codes) expect(Object.keys(ERRORS)).toContain(code);
    const reference = readFileSync(`${ROOT}docs/configuration.md`, 'utf8');
    const known = new Set([...reference.matchAll(/[\w.]+/g)].flatMap(([word]) => word.split('.')));
    for (const [, key = ''] of text.matchAll(/`([a-z]+(?:[A-Z][A-Za-z]*|\.[a-zA-Z.]+)):?[^`]*`/g)) {
      if (NOT_OURS.has(key)) continue;
      for (const part of key.split('.')) expect(known, key).toContain(part);
    }
  });
});
