import { LRUCache } from 'lru-cache';
import type { Principal } from '../core/principal.ts';

/** Tokens that have verified, by the whole token. Verdicts of rules are never kept here. */
export interface TokenCache {
  /** @param now milliseconds since the epoch */
  get(token: string, now: number): Principal | undefined;
  set(token: string, principal: Principal, kid: string): void;
  /** Forgets what these keys of a pool have verified; all of the pool's tokens when `kids` is null. */
  evict(pool: string, kids: ReadonlySet<string> | null): void;
  readonly size: number;
}

interface Entry {
  readonly principal: Principal;
  readonly kid: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** @param entries the most tokens kept; the least recently used go first */
export function createTokenCache(entries: number): TokenCache {
  const cache = new LRUCache<string, Entry>({ max: entries });
  return {
    get(token, now) {
      const entry = cache.get(token);
      if (entry === undefined) return undefined;
      if (now < entry.expiresAt) return entry.principal;
      cache.delete(token);
      return undefined;
    },
    set(token, principal, kid) {
      // A copy: a string cut from a long Cookie header keeps the whole header in memory.
      const key = Buffer.from(token, 'latin1').toString('latin1');
      cache.set(key, { principal, kid, expiresAt: principal.expiresAt * 1000 });
    },
    evict(pool, kids) {
      for (const [token, entry] of cache.entries()) {
        if (entry.principal.pool === pool && (kids === null || kids.has(entry.kid))) cache.delete(token);
      }
    },
    get size() {
      return cache.size;
    },
  };
}
