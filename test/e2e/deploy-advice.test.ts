import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ERRORS } from '../../src/core/errors.ts';
import { execForm, parseDockerfile, textsOf } from '../support/dockerfile.ts';
import { alerts, graphs } from '../support/monitoring-files.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** What is said to whoever is woken, by where it is said. */
const advice: readonly (readonly [where: string, text: string])[] = [
  ...alerts.map(
    ({ alert = '', annotations }) => [alert, Object.values(annotations ?? {}).join(' ')] as const,
  ),
  ...graphs.map(({ title, description = '' }) => [title, description] as const),
];
const adviceOf = (place: string): string => advice.find(([where]) => where === place)?.[1] ?? '';

describe('what whoever is woken is told', () => {
  const image = parseDockerfile(read('Dockerfile')).at(-1);
  const entry = execForm((image && textsOf(image, 'ENTRYPOINT')[0]) ?? '').join(' ');

  it.each(advice)('%s: names no command that the image does not have', (_where, text) => {
    // The program is not on the image's PATH.
    expect(text).not.toMatch(/cognito-auth-proxy [a-z]/);
    for (const [, command = ''] of text.matchAll(/`(?:kubectl|docker) exec ([^`]*)`/g)) {
      expect(command).toMatch(new RegExp(`-c proxy -- ${entry} (check|check --online|explain)$`));
    }
  });

  it.each(advice)('%s: names no code that is not there', (_where, text) => {
    for (const name of codeNamesIn(text)) expect(codesOf(name), name).not.toEqual([]);
  });

  // A limit of connections is a refusal, which has an alert and a panel of its own.
  const faults = Object.entries(ERRORS)
    .filter(([code, { status }]) => status >= 500 && code !== 'LIMIT_CONNECTIONS')
    .map(([code]) => code);

  it.each(['CognitoAuthProxyFaults', 'Failures by code'])('%s: names every fault', (place) => {
    expect(faults).toContain('INTERNAL_ERROR');
    expect(codeNamesIn(adviceOf(place)).flatMap(codesOf)).toEqual(expect.arrayContaining(faults));
  });

  it('takes for a fault whatever the sources make one', () => {
    const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' });
    const made = sources
      .filter((name) => name.endsWith('.ts'))
      .flatMap((name) => [...read(join('src', name)).matchAll(/\bfault\('([A-Z_]+)'/g)])
      .map(([, code]) => code);
    expect(made.length).toBeGreaterThan(10);
    expect(faults).toEqual(expect.arrayContaining(made));
  });

  /** Codes, and beginnings of codes with a star behind them. */
  function codeNamesIn(text: string): string[] {
    return text.match(/\b(?:REQUEST|ROUTE|AUTHN|AUTHZ|SIGN|UPSTREAM|LIMIT|INTERNAL)_[A-Z_]*\*?/g) ?? [];
  }

  function codesOf(name: string): string[] {
    return Object.keys(ERRORS).filter((code) =>
      name.endsWith('*') ? code.startsWith(name.slice(0, -1)) : code === name,
    );
  }
});
