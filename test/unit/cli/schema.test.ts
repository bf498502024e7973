import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createJsonSchema } from '../../../src/config/json-schema.ts';
import { createReference } from '../../../src/config/reference.ts';
import { runCommandLine } from '../../support/command-line.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'schema-test-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('schema', () => {
  it('prints the JSON Schema', async () => {
    const { code, out } = await runCommandLine(['schema']);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual(createJsonSchema());
  });

  it('prints the reference', async () => {
    expect(await runCommandLine(['schema', '--markdown'])).toEqual({
      code: 0,
      out: `${createReference()}\n`,
      err: '',
    });
  });

  it('writes the JSON Schema to a file', async () => {
    expect(await runCommandLine(['schema', '-w', 's.json'], { folder })).toEqual({
      code: 0,
      out: '',
      err: '',
    });
    expect(JSON.parse(readFileSync(join(folder, 's.json'), 'utf8'))).toEqual(createJsonSchema());
  });

  it('writes the reference between the markers of a page', async () => {
    const [begin, end] = [createReference().split('\n')[0], createReference().split('\n').at(-1)];
    writeFileSync(join(folder, 'page.md'), `# Before\n\n${begin}\nold\n${end}\n\nAfter.\n`);
    expect((await runCommandLine(['schema', '--markdown', '-w', 'page.md'], { folder })).code).toBe(0);
    expect(readFileSync(join(folder, 'page.md'), 'utf8')).toBe(
      `# Before\n\n${createReference()}\n\nAfter.\n`,
    );
  });

  it.each([
    [
      'bare.md',
      2,
      'bare.md has no place for the reference: it needs the two marker lines of schema --markdown\n',
    ],
    ['none.md', 1, 'none.md: there is no such file\n'],
  ])('does not write to %s', async (name, code, err) => {
    writeFileSync(join(folder, 'bare.md'), '# Nothing\n');
    expect(await runCommandLine(['schema', '--markdown', '-w', name], { folder })).toEqual({
      code,
      out: '',
      err,
    });
    expect(readFileSync(join(folder, 'bare.md'), 'utf8')).toBe('# Nothing\n');
  });
});
