import type { Finding } from '../problem.ts';
import type { Check } from './check.ts';

/** A route's id names it in logs and metrics, so no two may share one. */
export const routeIds: Check = (draft) => {
  const findings: Finding[] = [];
  const seen = new Map<string, number>();
  draft.routes.forEach((route, index) => {
    if (route === null) return;
    const first = seen.get(route.id);
    if (first === undefined) seen.set(route.id, index);
    else {
      findings.push({
        path: ['routes', index, 'id'],
        message: `"${route.id}" is the id of routes[${first}] already`,
      });
    }
  });
  return findings;
};
