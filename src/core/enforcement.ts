/** As much of a route's configuration as says whether it is enforced. */
interface Enforceable {
  readonly allow: unknown;
  readonly enforce?: boolean | undefined;
}

/**
 * Whether a route refuses those whom its rule refuses. Where not, they are let through, marked, logged and counted:
 * shadow mode. A public route has nobody to refuse.
 * @param general what the configuration says for routes that say nothing
 */
export function isEnforced(route: Enforceable, general: boolean): boolean {
  return route.allow === 'public' || (route.enforce ?? general);
}

/** Those that refuse nobody, because they are not enforced. */
export function unenforced<R extends Enforceable>(routes: readonly R[], general: boolean): R[] {
  return routes.filter((route) => !isEnforced(route, general));
}

/**
 * Tells an upstream that this request would have been refused, and with which code. It is removed from what clients
 * send, in every spelling, on every route.
 */
export const SHADOW_HEADER = 'x-shadow-refusal';
