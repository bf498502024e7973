import type { HeaderList } from '../core/headers.ts';
import type { RateLimit, Tally } from '../core/rate-limit.ts';

/**
 * Tells a client about its limit before it meets it: RateLimit-Policy says what is granted, RateLimit what is left and in how many
 * seconds there is more (draft-ietf-httpapi-ratelimit-headers-10, sections 3 and 4). The policy goes by the route's id.
 */
export function rateHeaders({ route, requests, per }: RateLimit, tally: Tally): HeaderList {
  return [
    'ratelimit-policy',
    `"${route}";q=${requests};w=${Math.round(per / 1000)}`,
    'ratelimit',
    `"${route}";r=${tally.remaining};t=${secondsUntil(tally)}`,
  ];
}

/** Whole seconds after which waiting has been long enough: the same for RateLimit and Retry-After. */
export function secondsUntil({ next }: Tally): number {
  return Math.max(1, Math.ceil(next / 1000));
}
