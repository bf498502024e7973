import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DEBIAN_PACKAGES } from '../../support/debian-tools.ts';

const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');

describe('the Debian packages of optional tests', () => {
  it('are those that .ci/run installs', () => {
    const installed = [...read('.ci/run').matchAll(/^ {2}\[([\w-]+)\]=([\w-]+)$/gm)];
    expect(Object.fromEntries(installed.map(([, program, name]) => [program, name]))).toEqual(
      DEBIAN_PACKAGES,
    );
  });

  it.each(Object.entries(DEBIAN_PACKAGES))('%s: named in the README (%s)', (program, name) => {
    expect(read('README.md')).toContain(`\`${program}\` (`);
    expect(read('README.md')).toMatch(new RegExp(`\\((Debian package )?\`${name}\`\\)`));
  });
});
