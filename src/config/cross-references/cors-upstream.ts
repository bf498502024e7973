import type { Finding } from '../problem.ts';
import type { Check } from './check.ts';

/** Whoever sends a preflight is judged by nobody: signed, it would speak for the proxy. */
export const preflightsUnsigned: Check = (draft) =>
  draft.routes.flatMap((route, index): Finding[] => {
    if (route === null || draft.upstreams.get(route.upstream)?.sign === undefined) return [];
    const path = ['routes', index, 'cors'];
    const remedy = 'name the origins, and the proxy answers, or say null';
    if (route.cors === 'upstream') {
      const message = `upstream cannot stand where requests are signed: preflights would be signed for anybody: ${remedy}`;
      return [{ path, message }];
    }
    if (route.cors !== undefined || draft.cors !== 'upstream') return [];
    const message = `is missing: this route signs what it sends, which cors: upstream in general would do with anybody's preflights: ${remedy}`;
    return [{ path, message, at: 'parent' }];
  });

/** A route that names OPTIONS judges it, preflights too; whoever wrote both may think otherwise. */
export const preflightsMeant: Check = (draft) =>
  draft.routes.flatMap((route, index): Finding[] => {
    if (route?.cors !== 'upstream' || route.allow === 'public') return [];
    if (route.match.methods?.includes('OPTIONS') !== true) return [];
    const message = 'upstream lets no preflight pass where match.methods names OPTIONS: leave it out there';
    return [{ path: ['routes', index, 'cors'], message }];
  });
