import { LRUCache } from 'lru-cache';
import { createSingleFlight } from './single-flight.ts';

/** The caller that all guests are. */
export const GUEST = 'guest';

/** Who is who in an identity pool: asked once per caller, since an identity never changes. */
export interface IdentityIds {
  /** @param ask GetId; asked once for all who want the same caller's id at the same time */
  find(
    caller: string,
    ask: () => Promise<string>,
  ): Promise<{ readonly id: string; readonly remembered: boolean }>;
  forget(caller: string): void;
}

/** @param entries callers to remember, at most, beside the guest: each GetId for a guest would make a new identity */
export function createIdentityIds(entries: number): IdentityIds {
  const known = new LRUCache<string, string>({ max: entries });
  const flights = createSingleFlight<string>();
  let guest: string | undefined;

  return {
    async find(caller, ask) {
      const id = caller === GUEST ? guest : known.get(caller);
      if (id !== undefined) return { id, remembered: true };
      const found = await flights.run(caller, ask);
      if (caller === GUEST) guest = found;
      else known.set(caller, found);
      return { id: found, remembered: false };
    },
    forget(caller) {
      if (caller === GUEST) guest = undefined;
      else known.delete(caller);
    },
  };
}
