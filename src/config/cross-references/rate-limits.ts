import type { Finding } from '../problem.ts';
import type { Check } from './check.ts';

/** What happens while a store out of our hands is away is for the operator to say: either answer surprises somebody. */
export const storeFailureSaid: Check = ({ rateLimits }) => {
  if (rateLimits === null || rateLimits.store === 'memory') return [];
  if (rateLimits.onStoreFailure !== undefined) return [];
  const message = 'is missing: while Redis is away, are limited routes open (not limited) or closed (503)?';
  return [{ path: ['rateLimits', 'onStoreFailure'], message, at: 'parent' }];
};

/** A public route looks at no token, so it knows no caller to count. */
export const callersKnown: Check = (draft) =>
  draft.routes.flatMap((route, index): Finding[] => {
    if (route?.allow !== 'public' || route.rateLimit === undefined) return [];
    const { by } = route.rateLimit;
    if (by === 'address') return [];
    const message = `a public route looks at no token, so it knows no ${by}: count by address`;
    return [{ path: ['routes', index, 'rateLimit', 'by'], message }];
  });
