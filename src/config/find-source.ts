import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { STANDALONE_VARIABLES } from './environment.ts';
import type { Environment } from './substitute.ts';

/** Where a configuration comes from. */
export type Source =
  /** `path` is absolute; `name` is what messages call it, where it was given otherwise. */
  | { readonly kind: 'file'; readonly path: string; readonly name?: string }
  /** YAML in memory; `folder` is where its relative paths start. */
  | { readonly kind: 'text'; readonly text: string; readonly name: string; readonly folder: string }
  | { readonly kind: 'environment' };

const CONFIG_VARIABLE = 'COGNITO_AUTH_PROXY_CONFIG';
const SYSTEM_FILE = '/etc/cognito-auth-proxy/config.yaml';
const LOCAL_FILE = 'cognito-auth-proxy.yaml';

/** What to tell somebody who starts the proxy with nothing. */
export const NO_SOURCE = [
  'there is no configuration. Either',
  '  write a file to start from:   cognito-auth-proxy init --output cognito-auth-proxy.yaml',
  '  name one:                     cognito-auth-proxy --config FILE',
  '  or set in the environment:    USER_POOL_ID, CLIENT_IDS and UPSTREAM_URL',
  `Looked for ${CONFIG_VARIABLE}, ${SYSTEM_FILE} and ./${LOCAL_FILE}.`,
].join('\n');

/**
 * The first of: the file named on the command line, the one named in the environment, the system's, the one in the
 * working folder, the environment alone. A file that is named need not exist: that is a problem to report, not a reason
 * to take another. Null: there is nothing.
 */
export function findSource(
  named: string | undefined,
  environment: Environment,
  folder: string,
  exists: (path: string) => boolean = existsSync,
): Source | null {
  const path = named ?? (environment[CONFIG_VARIABLE] || undefined);
  if (path !== undefined) return { kind: 'file', path: resolve(folder, path), name: path };
  for (const name of [SYSTEM_FILE, LOCAL_FILE]) {
    const candidate = resolve(folder, name);
    if (exists(candidate)) return { kind: 'file', path: candidate, name };
  }
  const standalone = STANDALONE_VARIABLES.some((name) => environment[name]);
  return standalone ? { kind: 'environment' } : null;
}

/** The source in few words, for messages. */
export function describeSource(source: Source): string {
  if (source.kind === 'environment') return 'the environment';
  return source.kind === 'file' ? (source.name ?? source.path) : source.name;
}
