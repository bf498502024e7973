import type { RateLimit } from '../core/rate-limit.ts';
import type { Route } from '../core/route.ts';

const RANK = { public: 0, optional: 1, authenticated: 2, conditions: 3 } as const;

/**
 * Whether a request taken by `route` would escape what `other` holds it to: a rule that it makes, or how often and with how
 * large a body it may be used.
 */
export function isStricter(other: Route, route: Route): boolean {
  return other !== route && (hasStricterRule(other, route) || hasStricterLimits(other, route));
}

/**
 * Whether a request judged by `route` would escape a rule that `other` makes. Two different sets of conditions both do, and
 * so does the same rule where it is enforced only there.
 */
export function hasStricterRule(other: Route, route: Route): boolean {
  if (other === route) return false;
  if (other.enforce && !route.enforce && other.rule.kind !== 'public') return true;
  if (other.rule === route.rule) return false;
  const difference = RANK[other.rule.kind] - RANK[route.rule.kind];
  if (difference !== 0) return difference > 0;
  return other.rule.kind === 'conditions' && JSON.stringify(other.rule) !== JSON.stringify(route.rule);
}

function hasStricterLimits(other: Route, route: Route): boolean {
  if ((other.bodyBytes ?? Number.POSITIVE_INFINITY) < (route.bodyBytes ?? Number.POSITIVE_INFINITY))
    return true;
  return (
    other.rateLimit !== null && (route.rateLimit === null || isTighter(other.rateLimit, route.rateLimit))
  );
}

/** Two that count by different things are each as tight as the other. */
function isTighter(other: RateLimit, limit: RateLimit): boolean {
  if (other.by !== limit.by || other.burst < limit.burst) return true;
  return other.requests * limit.per < limit.requests * other.per;
}
