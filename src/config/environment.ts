import { type ConfigPath, isMapping } from './config-path.ts';
import type { Origins } from './origins.ts';
import type { Finding } from './problem.ts';
import { type Environment, typeAsYaml } from './substitute.ts';

/** Variables that make a whole configuration by themselves, when there is no file. */
export const STANDALONE_VARIABLES = ['USER_POOL_ID', 'CLIENT_IDS', 'UPSTREAM_URL'] as const;

/** A configuration as the environment says it, in the shape of the file. */
export interface FromEnvironment {
  readonly value: Record<string, unknown>;
  readonly findings: readonly Finding[];
}

/**
 * The obvious configuration with one pool and one upstream. `/` is a route of its own, because `{proxy+}` stands for at
 * least one segment. Every part is noted in `origins` under its variable, also the missing ones.
 */
export function readEnvironment(environment: Environment, origins: Origins): FromEnvironment {
  const findings: Finding[] = [];
  const note = (variable: string, path: ConfigPath): void => origins.set(path, { variable });
  const complain = (path: ConfigPath, message: string): void => void findings.push({ path, message });

  const pool = ['userPools', 'main'];
  note('USER_POOL_ID', pool);
  note('USER_POOL_ID', [...pool, 'userPoolId']);
  note('CLIENT_IDS', [...pool, 'clientIds']);
  note('UPSTREAM_URL', ['upstreams', 'main']);
  note('UPSTREAM_URL', ['upstreams', 'main', 'url']);
  const url = textOf(environment, 'UPSTREAM_URL');
  if (url === undefined) complain(['upstreams', 'main', 'url'], 'is missing');

  const open = [...new Set(listOf(environment, 'PUBLIC_PATHS'))].map((path, index) => {
    const here = ['routes', index, 'match', 'path'];
    note('PUBLIC_PATHS', here);
    const mistake = mistakeInPublicPath(path);
    if (mistake !== null) complain(here, mistake);
    const template = path.replace(/\/\*$/, '/{proxy+}');
    return { id: `public-${index + 1}`, match: { path: template }, allow: 'public', upstream: 'main' };
  });

  const conditions: Record<string, string[]> = {};
  for (const [variable, key] of REQUIREMENTS) {
    if (environment[variable] === undefined) continue;
    const names = listOf(environment, variable);
    const here = ['routes', open.length, 'allow', key];
    note(variable, here);
    if (names.length === 0)
      complain(here, `is set but empty: name at least one, or unset it to require no ${key}`);
    // What stands in for the missing names is never used: the finding ends the matter.
    conditions[key] = names.length > 0 ? names : [variable];
  }
  const allow = Object.keys(conditions).length > 0 ? conditions : 'authenticated';
  const guarded = [
    { id: 'root', match: { path: '/' }, allow, upstream: 'main' },
    { id: 'all', match: { path: '/{proxy+}' }, allow, upstream: 'main' },
  ].filter((route) => !open.some((other) => other.match.path === route.match.path));

  const clients = clientsOf(environment);
  return {
    value: {
      userPools: {
        main: {
          userPoolId: textOf(environment, 'USER_POOL_ID'),
          ...(clients === undefined ? {} : { clientIds: clients }),
        },
      },
      upstreams: { main: { url: url ?? '' } },
      routes: [...open, ...guarded],
    },
    findings,
  };
}

const REQUIREMENTS = [
  ['REQUIRED_GROUPS', 'groups'],
  ['REQUIRED_SCOPES', 'scopes'],
] as const;

/** A variable that is set to nothing counts as unset. */
function textOf(environment: Environment, variable: string): string | undefined {
  const text = environment[variable]?.trim();
  return text === '' ? undefined : text;
}

/** The members of a list separated by commas. */
function listOf(environment: Environment, variable: string): string[] {
  const parts = (environment[variable] ?? '').split(',');
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}

/** `null`, said out loud, accepts any client; nothing said is an error that the schema reports. */
function clientsOf(environment: Environment): string[] | null | undefined {
  const clients = listOf(environment, 'CLIENT_IDS');
  if (clients.length === 0) return undefined;
  return clients.length === 1 && clients[0] === 'null' ? null : clients;
}

function mistakeInPublicPath(path: string): string | null {
  if (path === '/*') return '"/*" would let everybody in everywhere: name the paths that are public';
  const exact = path.replace(/\/\*$/, '');
  if (path.startsWith('/') && !/[*{}]/.test(exact)) return null;
  return `expected exact paths, or paths that end in /*, got ${JSON.stringify(path)}`;
}

const OVERRIDES = [
  { variable: 'LISTEN', section: 'server', key: 'listen', over: true },
  { variable: 'WORKERS', section: 'server', key: 'workers', over: true },
  { variable: 'ADMIN_LISTEN', section: 'admin', key: 'listen', over: true },
  { variable: 'DEFAULT_ADMIN_LISTEN', section: 'admin', key: 'listen', over: false },
  { variable: 'LOG_LEVEL', section: 'log', key: 'level', over: true },
] as const;

/**
 * Lays the variables that set a single key over the configuration: they win over the file, so that one image and one
 * file serve many places. `DEFAULT_ADMIN_LISTEN` only fills a gap: an image says with it where its health is to be seen,
 * without overruling anybody.
 */
export function overlayEnvironment(root: unknown, environment: Environment, origins: Origins): unknown {
  if (!isMapping(root)) return root;
  const result = { ...root };
  for (const { variable, section, key, over } of OVERRIDES) {
    const text = textOf(environment, variable);
    const present = result[section] ?? {};
    if (text === undefined || !isMapping(present)) continue;
    if (!over && present[key] !== undefined) continue;
    result[section] = { ...present, [key]: key === 'workers' ? typeAsYaml(text) : text };
    origins.set([section, key], { variable });
  }
  return result;
}
