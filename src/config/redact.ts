import { type Config, configSchema } from './schema/config.ts';
import { mapAtPattern, pathsMarked } from './schema-tree.ts';

const REDACTED = '[redacted]';

/**
 * The configuration as it may be shown: everything that the schema takes as a secret or a certificate is replaced,
 * wherever it came from.
 */
export function redactConfig(config: Config): Config {
  let value: unknown = config;
  for (const pattern of pathsMarked(configSchema, { role: 'hidden' })) {
    value = mapAtPattern(value, pattern, (secret) => (typeof secret === 'string' ? REDACTED : secret));
  }
  return value as Config;
}
