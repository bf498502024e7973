import { LRUCache } from 'lru-cache';
import type { Principal } from '../core/principal.ts';

/** Tokens that have verified, each compared as a whole. Verdicts of rules are never kept here. */
export interface TokenCache {
  /** @param now milliseconds since the epoch */
  get(token: string, now: number): Principal | undefined;
  set(token: string, principal: Principal, kid: string): void;
  /** Forgets what these keys of a pool have verified; all of the pool's tokens when `kids` is null. */
  evict(pool: string, kids: ReadonlySet<string> | null): void;
  readonly size: number;
}

interface Entry {
  readonly token: string;
  readonly principal: Principal;
  readonly kid: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/**
 * Characters from the end of a token that it is looked up by: 192 bits of its signature. To look up all of it would mean to hash
 * all of it for each request. Tokens that end alike, made to or not, differ in the comparison that follows.
 */
const KEY_LENGTH = 32;

/** @param entries the most tokens kept; the least recently used go first */
export function createTokenCache(entries: number): TokenCache {
  const cache = new LRUCache<string, Entry>({ max: entries });
  return {
    get(token, now) {
      const key = token.slice(-KEY_LENGTH);
      const entry = cache.get(key);
      if (entry === undefined || entry.token !== token) return undefined;
      if (now < entry.expiresAt) return entry.principal;
      cache.delete(key);
      return undefined;
    },
    set(token, principal, kid) {
      // A copy: a string cut from a long Cookie header keeps the whole header in memory.
      const own = Buffer.from(token, 'latin1').toString('latin1');
      cache.set(own.slice(-KEY_LENGTH), {
        token: own,
        principal,
        kid,
        expiresAt: principal.expiresAt * 1000,
      });
    },
    evict(pool, kids) {
      for (const [key, entry] of cache.entries()) {
        if (entry.principal.pool === pool && (kids === null || kids.has(entry.kid))) cache.delete(key);
      }
    },
    get size() {
      return cache.size;
    },
  };
}
