import { isEnforced } from '../../core/enforcement.ts';
import type { Finding } from '../problem.ts';
import type { Check } from './check.ts';

/** A request that leaves signed speaks for somebody: whoever the rule refuses must not be signed for. */
export const signedRoutesEnforced: Check = (draft) =>
  draft.routes.flatMap((route, index): Finding[] => {
    if (route === null || isEnforced(route, draft.enforce ?? true)) return [];
    if (draft.upstreams.get(route.upstream)?.sign === undefined) return [];
    const message =
      route.enforce === undefined
        ? 'is missing: this route signs what it sends, which enforce: false in general would do for anybody: say true'
        : 'false cannot stand where requests are signed: they would be signed for anybody';
    const at = route.enforce === undefined ? { at: 'parent' as const } : {};
    return [{ path: ['routes', index, 'enforce'], message, ...at }];
  });

/** On a public route there is nothing to enforce; whoever wrote it may think otherwise. */
export const enforcementMeant: Check = (draft) =>
  draft.routes.flatMap((route, index): Finding[] => {
    if (route?.allow !== 'public' || route.enforce !== false) return [];
    return [{ path: ['routes', index, 'enforce'], message: 'a public route refuses nobody: leave it out' }];
  });
