import type { Finding } from './problem.ts';
import { configSchema } from './schema/config.ts';
import type { SchemaRole } from './schema/scalars.ts';
import { pathsMarked, visitAtPattern } from './schema-tree.ts';
import { constantPart, isSubstitution } from './substitute.ts';

/**
 * Finds secrets that stand in the configuration itself, which is in version control and in many hands. What a default gives stands
 * there too.
 *
 * @param root as it was written, before anything is substituted
 */
export function findWrittenSecrets(root: unknown): Finding[] {
  const findings: Finding[] = [];
  const find = (
    what: NonNullable<SchemaRole['fromElsewhere']>,
    isWritten: (text: string) => boolean,
    message: string,
  ): void => {
    for (const pattern of pathsMarked(configSchema, { fromElsewhere: what })) {
      visitAtPattern(root, pattern, (value, path) => {
        if (typeof value === 'string' && value !== '' && isWritten(value)) findings.push({ path, message });
      });
    }
  };
  find(
    'whole',
    isWrittenWhole,
    'expected ${NAME} without a default, or { file: path }: a secret must not be written here',
  );
  find(
    'password',
    holdsWrittenPassword,
    'expected ${NAME} in place of the password, or { file: path }: a secret must not be written here',
  );
  return findings;
}

/** Any part of a secret is too much of it. A default may say that there is none: empty, or null. */
function isWrittenWhole(text: string): boolean {
  const written = constantPart(text).trim();
  return written !== '' && !(isSubstitution(text) && written === 'null');
}

/** Stands for what a variable will give; no character of a URL. */
const GIVEN = '\uE000';

/**
 * Not by a parser of URLs: with variables in it, it is none yet. Nothing before the last `@` is believed to be the host, and a user
 * without a password to be no password.
 */
function holdsWrittenPassword(text: string): boolean {
  const written = constantPart(text, GIVEN);
  const userinfo = /^(?:.*?:\/\/)?(.*)@/s.exec(written)?.[1] ?? '';
  const passwords = [
    userinfo.slice(userinfo.indexOf(':') + 1),
    ...Array.from(written.matchAll(/[?&][^=&#]*pass[^=&#]*=([^&#]*)/gi), ([, value = '']) => value),
  ];
  return passwords.some((password) => password.replaceAll(GIVEN, '') !== '');
}
