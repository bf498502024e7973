/** What a request is, as far as the routes tell them apart. */
export type RequestKind = 'read' | 'write' | 'public' | 'large' | 'huge';

/** What a caller must have to use a route. */
export interface Requirement {
  readonly group: string;
  readonly scope: string;
}

export const REQUIREMENTS: Readonly<Record<'read' | 'write', Requirement>> = {
  read: { group: 'readers', scope: 'board/read' },
  write: { group: 'writers', scope: 'board/write' },
};

/** One route, as each contender's configuration says it in its own words. */
export interface BenchRoute {
  readonly id: string;
  readonly method: 'GET' | 'POST';
  /** The path up to its last segment, which is a parameter. */
  readonly prefix: string;
  /** Null: public. */
  readonly requires: 'read' | 'write' | null;
}

/**
 * The routes that all contenders have: a public one, one for files, and the rest in pairs, reading and writing the items
 * of one service each.
 */
export function makeRoutes(count: number): BenchRoute[] {
  const routes: BenchRoute[] = [
    { id: 'public', method: 'GET', prefix: '/public/', requires: null },
    { id: 'files', method: 'GET', prefix: '/files/', requires: 'read' },
  ];
  for (let i = 0; routes.length < count; i++) {
    const prefix = `/service-${i}/items/`;
    routes.push({ id: `read-${i}`, method: 'GET', prefix, requires: 'read' });
    if (routes.length < count) routes.push({ id: `write-${i}`, method: 'POST', prefix, requires: 'write' });
  }
  return routes;
}

/** The routes that requests of one kind go to. */
export function routesFor(kind: RequestKind, routes: readonly BenchRoute[]): readonly BenchRoute[] {
  switch (kind) {
    case 'public':
      return routes.filter((route) => route.id === 'public');
    case 'large':
    case 'huge':
      return routes.filter((route) => route.id === 'files');
    case 'read':
    case 'write':
      return routes.filter((route) => route.id.startsWith(`${kind}-`));
  }
}
