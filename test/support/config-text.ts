import { type LoadOptions, type LoadResult, loadConfig } from '../../src/config/load.ts';
import { formatProblem } from '../../src/config/problem.ts';
import type { Config } from '../../src/config/schema/config.ts';

/** What a text that is about something else need not say. */
const REST = {
  userPools: 'userPools: { main: { userPoolId: us-east-1_Test, clientIds: [app] } }',
  upstreams: 'upstreams: { board: { url: http://board.internal } }',
  routes: 'routes: [{ id: rest, match: { path: /rest }, allow: authenticated, upstream: board }]',
} as const;

/** The text without its first line break and the indentation that all its lines share. */
function dedent(text: string): string {
  const lines = text.replace(/^\n/, '').trimEnd().split('\n');
  const indents = lines.filter((line) => line.trim() !== '').map((line) => line.search(/[^ ]/));
  return `${lines.map((line) => line.slice(Math.min(...indents))).join('\n')}\n`;
}

/** The text and, after it, a pool, an upstream and a route for it where it has none. */
export function complete(text: string): string {
  const own = dedent(text);
  const missing = Object.entries(REST).filter(([key]) => !new RegExp(`^${key}:`, 'm').test(own));
  return [own, ...missing.map(([, line]) => `${line}\n`)].join('');
}

/** Loads a text as the file `c.yaml` in the folder `/etc/proxy`. */
export function loadText(
  text: string,
  options: Partial<LoadOptions> = {},
  folder = '/etc/proxy',
): LoadResult {
  return loadConfig({ kind: 'text', name: 'c.yaml', text, folder }, { environment: {}, ...options });
}

/** The problems of a completed text as they are printed; none when it can be used. */
export function problemsIn(text: string, options: Partial<LoadOptions> = {}, folder?: string): string[] {
  return problemsOf(loadText(complete(text), options, folder));
}

export function problemsOf(result: LoadResult): string[] {
  return result.ok ? [] : result.problems.map(formatProblem);
}

/** The configuration that a completed text stands for. */
export function configOf(text: string, options: Partial<LoadOptions> = {}, folder?: string): Config {
  const result = loadText(complete(text), options, folder);
  if (!result.ok) throw new Error(problemsOf(result).join('\n'));
  return result.config;
}
