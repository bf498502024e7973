import type { ConfigPath } from './config-path.ts';
import type { Finding } from './problem.ts';
import { configSchema } from './schema/config.ts';
import { mapAtPattern, pathsMarked } from './schema-tree.ts';
import { constantPart, needsVariable } from './substitute.ts';

/**
 * Finds secrets that stand in the configuration itself, which is in version control and in many hands. What a default gives stands
 * there too.
 *
 * @param root as it was written, before anything is substituted
 */
export function findWrittenSecrets(root: unknown): Finding[] {
  const findings: Finding[] = [];
  const look =
    (isWritten: (text: string) => boolean, message: string) => (value: unknown, path: ConfigPath) => {
      if (typeof value === 'string' && value !== '' && isWritten(value)) findings.push({ path, message });
      return value;
    };
  const lookForText = look(
    (text) => !needsVariable(text),
    'expected ${NAME} without a default, or { file: path }: a secret must not be written here',
  );
  const lookForPassword = look(
    (text) => (URL.parse(constantPart(text))?.password ?? '') !== '',
    'expected ${NAME} in place of the password, or { file: path }: a secret must not be written here',
  );
  for (const pattern of pathsMarked(configSchema, { fromElsewhere: 'all of it' })) {
    mapAtPattern(root, pattern, lookForText);
  }
  for (const pattern of pathsMarked(configSchema, { fromElsewhere: 'its password' })) {
    mapAtPattern(root, pattern, lookForPassword);
  }
  return findings;
}
