import { createHash } from 'node:crypto';
import { stringify } from 'yaml';
import { redactConfig } from './redact.ts';
import type { Config } from './schema/config.ts';

/** A configuration as it may be shown. */
export interface PrintedConfig {
  /** YAML, with all defaults, durations in milliseconds, and without secrets. */
  readonly text: string;
  /** Twelve hexadecimal digits, the same for the same text: secrets take no part, or it would help to guess them. */
  readonly fingerprint: string;
}

export function printConfig(config: Config): PrintedConfig {
  const text = stringify(redactConfig(config), { lineWidth: 0, aliasDuplicateObjects: false });
  return { text, fingerprint: createHash('sha256').update(text).digest('hex').slice(0, 12) };
}
