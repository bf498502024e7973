import type { Route } from '../core/route.ts';

const RANK = { public: 0, optional: 1, authenticated: 2, conditions: 3 } as const;

/**
 * Whether a request judged by `route` would escape a rule that `other` makes. Two different sets of conditions both do, and
 * so does the same rule where it is enforced only there.
 */
export function isStricter(other: Route, route: Route): boolean {
  if (other === route) return false;
  if (other.enforce && !route.enforce && other.rule.kind !== 'public') return true;
  if (other.rule === route.rule) return false;
  const difference = RANK[other.rule.kind] - RANK[route.rule.kind];
  if (difference !== 0) return difference > 0;
  return other.rule.kind === 'conditions' && JSON.stringify(other.rule) !== JSON.stringify(route.rule);
}
