import type { Finding } from './problem.ts';
import { configSchema } from './schema/config.ts';
import type { SchemaRole } from './schema/scalars.ts';
import { pathsMarked, visitAtPattern } from './schema-tree.ts';
import { constantPart, needsVariable } from './substitute.ts';

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
    (text) => !needsVariable(text),
    'expected ${NAME} without a default, or { file: path }: a secret must not be written here',
  );
  find(
    'password',
    (text) => (URL.parse(constantPart(text))?.password ?? '') !== '',
    'expected ${NAME} in place of the password, or { file: path }: a secret must not be written here',
  );
  return findings;
}
