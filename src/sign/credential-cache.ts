import { LRUCache } from 'lru-cache';
import type { Clock } from '../core/ports.ts';
import type { Refusal } from '../core/refusal.ts';
import type { CredentialResult } from '../core/signing.ts';
import type { Credentials } from './credentials.ts';
import { createSingleFlight } from './single-flight.ts';

/** The credentials of one source by caller and role: bounded, renewed ahead of expiry, one fetch at a time per key. */
export interface CredentialCache {
  /**
   * @param fetch asks for new ones; never rejects
   * @returns what is remembered, if it is good; else what is fetched
   */
  get(
    key: string,
    fetch: () => Promise<Credentials | Refusal>,
  ): Credentials | Refusal | Promise<Credentials | Refusal>;
}

export interface CredentialCacheOptions {
  readonly entries: number;
  readonly clock: Clock;
  /** Told of every answer; seconds are those of fetching. */
  readonly observe: (result: CredentialResult, seconds: number | null) => void;
}

type Entry =
  | {
      readonly credentials: Credentials;
      /** Monotonic milliseconds: from here on a use fetches new ones in the background. */
      readonly renewAt: number;
      /** From here on a use waits for new ones. */
      readonly waitAt: number;
      /** From here on they are not used, even if there are no others to be had. */
      readonly deadAt: number;
    }
  | { readonly refusal: Refusal; readonly until: number };

/**
 * How long before expiry: so many milliseconds, or of a short life its share. A request may be long under way with what
 * it was signed with, so the last five minutes are kept for those.
 */
const RENEW_AHEAD = { milliseconds: 600_000, share: 1 / 3 };
const WAIT_AHEAD = { milliseconds: 300_000, share: 1 / 6 };
const DEAD_AHEAD = { milliseconds: 30_000, share: 1 / 60 };

/** Milliseconds for which a refusal is remembered: a caller who hammers is no reason to hammer AWS. */
const REFUSED_FOR = 10_000;
const UNAVAILABLE_FOR = 1_000;

export function createCredentialCache(options: CredentialCacheOptions): CredentialCache {
  const { clock, observe } = options;
  const entries = new LRUCache<string, Entry>({ max: options.entries });
  const flights = createSingleFlight<Credentials | Refusal>();

  const remember = (key: string, result: Credentials | Refusal): Credentials | Refusal => {
    const now = clock.monotonic();
    if (!('code' in result)) {
      entries.set(key, freshEntry(result, now));
      return result;
    }
    const known = entries.peek(key);
    // Credentials that still work outlast a failure to renew them, but not a denial.
    if (result.kind === 'fault' && known !== undefined && 'credentials' in known && now < known.deadAt) {
      const later = now + UNAVAILABLE_FOR;
      entries.set(key, {
        ...known,
        renewAt: later,
        waitAt: Math.min(Math.max(known.waitAt, later), known.deadAt),
      });
      return known.credentials;
    }
    entries.set(key, {
      refusal: result,
      until: now + (result.kind === 'deny' ? REFUSED_FOR : UNAVAILABLE_FOR),
    });
    return result;
  };

  return {
    get(key, fetch) {
      const renew = (): Promise<Credentials | Refusal> =>
        flights.run(key, async () => {
          const startedAt = clock.monotonic();
          const result = await fetch();
          observe(resultOf(result), (clock.monotonic() - startedAt) / 1000);
          return remember(key, result);
        });

      const entry = entries.get(key);
      if (entry === undefined) return renew();
      const now = clock.monotonic();
      if ('refusal' in entry) return now < entry.until ? entry.refusal : renew();
      if (now >= entry.waitAt) return renew();
      if (now >= entry.renewAt) void renew();
      observe('cached', null);
      return entry.credentials;
    },
  };
}

function freshEntry(credentials: Credentials, now: number): Entry {
  const { expiresAt } = credentials;
  const before = ({ milliseconds, share }: typeof RENEW_AHEAD): number =>
    expiresAt === Number.POSITIVE_INFINITY
      ? expiresAt
      : expiresAt - Math.min(milliseconds, (expiresAt - now) * share);
  return {
    credentials,
    renewAt: before(RENEW_AHEAD),
    waitAt: before(WAIT_AHEAD),
    deadAt: before(DEAD_AHEAD),
  };
}

function resultOf(result: Credentials | Refusal): CredentialResult {
  if (!('code' in result)) return 'fetched';
  if (result.kind === 'deny') return 'denied';
  return result.code === 'SIGN_CREDENTIALS_THROTTLED' ? 'throttled' : 'unavailable';
}
