import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { LOG_FIELDS } from '../../../src/core/log-fields.ts';

/** The rows of all tables of the page whose first column has this heading, as cells. */
function rowsUnder(heading: string): string[][] {
  const text = readFileSync(new URL('../../../docs/logs.md', import.meta.url), 'utf8');
  const rows: string[][] = [];
  let inside = false;
  for (const line of text.split('\n')) {
    const cells = line.slice(1, -1).split('|');
    const [first = ''] = cells;
    if (!line.startsWith('| ')) inside = false;
    else if (first.trim() === heading) inside = true;
    else if (inside && !first.startsWith(' --')) rows.push(cells.map((cell) => cell.trim()));
  }
  return rows;
}

const namesIn = (cell = ''): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);

/** Every message that a logger is called with, in the source. */
function loggedMessages(): string[] {
  const source = fileURLToPath(new URL('../../../src/', import.meta.url));
  const texts = globSync('**/*.ts', { cwd: source }).map((path) => readFileSync(source + path, 'utf8'));
  const call = /logger(?:\?)?(?:\.(?:debug|info|warn|error)|\[[^\]]+\])\([^;]*?,\s*'([^']+)',?\s*\)/g;
  const direct = texts.flatMap((text) => [...text.matchAll(call)].map(([, message = '']) => message));
  // Written past the logger, when it has no room.
  return [...direct, 'log lines were lost'];
}

describe('docs/logs.md', () => {
  it('lists the fields that a line of log may have, and no others', () => {
    const fields = rowsUnder('field').flatMap(([name]) => namesIn(name));
    const ofMessages = rowsUnder('message').flatMap(([, , names]) => namesIn(names));
    const always = ['level', 'time', 'message'];
    expect([...new Set([...fields, ...ofMessages])].sort()).toEqual([...always, ...LOG_FIELDS].sort());
  });

  it('lists every message, and no others', () => {
    const messages = rowsUnder('message').map(([message]) => message);
    expect([...messages, 'request'].sort()).toEqual([...new Set(loggedMessages())].sort());
  });
});

it('no field is listed twice', () => {
  expect(new Set(LOG_FIELDS).size).toBe(LOG_FIELDS.length);
});
