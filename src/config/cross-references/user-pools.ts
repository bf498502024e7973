import type { Finding } from '../problem.ts';
import { type Check, isUnreadable } from './check.ts';

/** A route that looks at tokens needs a pool whose tokens it could accept. */
export const poolNeeded: Check = (draft, context) => {
  if (draft.userPools.size > 0 || isUnreadable('userPools', context)) return [];
  const guarded = draft.routes.flatMap((route, index) =>
    route !== null && route.allow !== 'public' ? [{ id: route.id, index }] : [],
  );
  const [first] = guarded;
  if (first === undefined) return [];
  const others = guarded.length === 1 ? '' : ` and ${guarded.length - 1} more`;
  const message = `needs a user pool to verify tokens of, and none is configured (route "${first.id}"${others})`;
  return [{ path: ['routes', first.index, 'allow'], message }];
};

/** Two names for one pool: a token's issuer would not say which of them is meant. */
export const poolTwice: Check = (draft) => {
  const findings: Finding[] = [];
  const nameOf = new Map<string, string>();
  for (const [name, pool] of draft.userPools) {
    if (pool === null) continue;
    const issuer = pool.issuer ?? pool.userPoolId;
    const other = nameOf.get(issuer);
    if (other === undefined) nameOf.set(issuer, name);
    else {
      const key = pool.issuer === undefined ? 'userPoolId' : 'issuer';
      findings.push({
        path: ['userPools', name, key],
        message: `is that of userPools.${other} already: a token could not say which is meant`,
      });
    }
  }
  return findings;
};
