import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { LOG_FIELDS } from '../../../src/core/log-fields.ts';

/** Fields stand in the first column of tables of fields, and in the last one of tables of messages. */
function documentedFields(): Set<string> {
  const text = readFileSync(new URL('../../../docs/logs.md', import.meta.url), 'utf8');
  const fields = new Set<string>();
  let column: number | null = null;
  for (const line of text.split('\n')) {
    const cells = line.split(' | ');
    if (!line.startsWith('| ')) column = null;
    else if (line.startsWith('| field ')) column = 0;
    else if (line.startsWith('| message ')) column = 2;
    else if (column !== null && !line.startsWith('| --')) {
      for (const [, name = ''] of (cells[column] ?? '').matchAll(/`([^`]+)`/g)) fields.add(name);
    }
  }
  return fields;
}

it('docs/logs.md lists the fields that a line of log may have, and no others', () => {
  const always = ['level', 'time', 'message'];
  const parts = ['name', 'cause'];
  expect([...documentedFields()].filter((name) => !parts.includes(name)).sort()).toEqual(
    [...always, ...LOG_FIELDS].sort(),
  );
});

it('no field is listed twice', () => {
  expect(new Set(LOG_FIELDS).size).toBe(LOG_FIELDS.length);
});
