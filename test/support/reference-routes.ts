import type { Route } from '../../src/core/route.ts';

/**
 * The rules of the configuration's routes once more, as naively as they can be written down: every template is held
 * against the path, and the best of those that match is taken. Slow, and easy to believe.
 */
export interface ReferenceMatch {
  /** All routes of the template that wins, or of those that are the same when read in the same way. */
  readonly routes: readonly Route[];
}

/** A way in which some upstream reads paths and, in its own routes, templates. */
export type Reading = (segment: string) => string;

export const literally: Reading = (segment) => segment;

/** @returns null where no template matches */
export function referenceMatch(
  routes: readonly Route[],
  host: string,
  path: string,
  read: Reading = literally,
): ReferenceMatch | null {
  const own = best(
    routes.filter((route) => route.host === host),
    path,
    read,
  );
  return (
    own ??
    best(
      routes.filter((route) => route.host === null),
      path,
      read,
    )
  );
}

function best(routes: readonly Route[], path: string, read: Reading): ReferenceMatch | null {
  const segments = split(path, read);
  const matching = routes
    .map((route) => ({ route, template: split(route.template, read) }))
    .filter(({ template }) => matches(template, segments))
    .map(({ route, template }) => ({ route, rank: template.map(rankOf).join('') }))
    .sort((a, b) => (a.rank < b.rank ? -1 : a.rank > b.rank ? 1 : 0));
  const winner = matching[0];
  if (winner === undefined) return null;
  return { routes: matching.filter(({ rank }) => rank === winner.rank).map(({ route }) => route) };
}

/** Literally, a slash at the end makes an empty segment; read in any other way, empty segments are nothing. */
function split(path: string, read: Reading): string[] {
  const segments = path.slice(1).split('/');
  if (read === literally) return segments;
  return segments
    .map((segment) => (kindOf(segment) === 0 ? read(segment) : segment))
    .filter((text) => text !== '');
}

function matches(template: readonly string[], segments: readonly string[]): boolean {
  return (
    template.every((part, i) => {
      if (kindOf(part) === 2) return segments.slice(i).join('/') !== '';
      const fits = kindOf(part) === 1 ? (segments[i] ?? '') !== '' : segments[i] === part;
      const last = i === template.length - 1;
      return fits && (!last || segments.length === template.length);
    }) &&
    (template.length > 0 || segments.length === 0)
  );
}

/** Static before parameter before greedy parameter. */
function kindOf(part: string): 0 | 1 | 2 {
  if (!part.startsWith('{')) return 0;
  return part.endsWith('+}') ? 2 : 1;
}

const rankOf = (part: string): string => String(kindOf(part));

/** The route for a method among the routes of one template; null: the template allows only other methods. */
export function referenceMethod(routes: readonly Route[], method: string): Route | null {
  const naming = (name: string): Route | undefined =>
    routes.find((route) => route.methods?.has(name) === true);
  return (
    naming(method) ??
    (method === 'HEAD' ? naming('GET') : undefined) ??
    routes.find((route) => route.methods === null) ??
    null
  );
}

/** The template of a route with the names of its parameters left out, and its host: what makes one set of routes. */
export function templateOf(route: Route): string {
  return `${route.host ?? '*'} ${route.template.replace(/\{[^+}]*/g, '{')}`;
}
