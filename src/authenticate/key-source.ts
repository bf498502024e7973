import type { KeyObject } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import {
  type Clock,
  type FetchKeyDocument,
  type KeyObserver,
  type KeySource,
  KeysAbsentError,
  type Logger,
  type Timer,
} from '../core/ports.ts';
import { deny, fault, type Refusal } from '../core/refusal.ts';
import { type KeySet, parseKeySet } from './key-set.ts';

/** Milliseconds between two fetches that unknown key ids may cause. */
export const UNKNOWN_KEY_COOLDOWN = 5_000;

/** Milliseconds for which a key id that a fetch did not bring causes no other. */
const MISSING_KEY_MEMORY = 60_000;

const FIRST_RETRY = 1_000;
const LAST_RETRY = 60_000;

export interface KeySourceOptions {
  /** The user pool's name, for log and metrics. */
  readonly pool: string;
  readonly url: string;
  /** Milliseconds between background fetches. */
  readonly refresh: number;
  /** Milliseconds for which keys stay in use while they cannot be fetched. */
  readonly maxStale: number;
  /** Milliseconds for one fetch. */
  readonly timeout: number;
  readonly dev: boolean;
  readonly fetch: FetchKeyDocument;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observer: KeyObserver;
  /** Whether another issuer of the same pool has had keys, so that this one's absence is no fault. */
  readonly otherHasKeys: () => boolean;
  /** Told when keys went out of use: what was verified with them must not be believed any longer. */
  readonly onRemoved: (kids: ReadonlySet<string>) => void;
}

type Outcome = 'never' | 'success' | 'absent' | 'failure';

/**
 * The keys of one issuer: fetched at start, again in the background, and when an unknown key id turns up, with at most
 * one fetch under way and at most one such fetch per cooldown. Key ids that a fetch did not bring are remembered, so
 * that a flood of one invented id leaves the next fetch to a genuine rotation.
 *
 * A failed fetch keeps the good set, up to `maxStale`; a key that a fetch no longer brings is out of use at once.
 */
export function createKeySource(options: KeySourceOptions): KeySource {
  const { pool, url, clock, logger, observer, maxStale } = options;
  // Never so seldom that keys go stale untried, nor so often that it is a flood of our own.
  const refresh = Math.max(FIRST_RETRY, Math.min(options.refresh, maxStale / 2));
  const missing = new LRUCache<string, true>({
    max: 1_000,
    ttl: MISSING_KEY_MEMORY,
    perf: { now: () => clock.monotonic() },
    ttlResolution: 0,
  });
  let keys: KeySet | null = null;
  let ready = false;
  let fetchedAt = 0;
  let askedAt = Number.NEGATIVE_INFINITY;
  let outcome: Outcome = 'never';
  let failures = 0;
  let underWay: Promise<boolean> | null = null;
  let refreshTimer: Timer | null = null;
  let staleTimer: Timer | null = null;
  let running = false;

  /** @returns whether what was fetched is newer than the call */
  const fetchOnce = (): Promise<boolean> => {
    underWay ??= fetchNow().finally(() => {
      underWay = null;
    });
    return underWay;
  };

  const fetchNow = async (): Promise<boolean> => {
    refreshTimer?.cancel();
    let fresh = false;
    try {
      const fetched = await options.fetch(url, options.timeout);
      const next = await parseKeySet(fetched.document, options.dev);
      if (!running) return false;
      fresh = fetched.fresh;
      replaceKeys(next);
      failures = 0;
      outcome = 'success';
      observer.keysFetched(pool, 'success');
    } catch (error) {
      if (!running) return false;
      const absent = error instanceof KeysAbsentError;
      outcome = absent ? 'absent' : 'failure';
      failures += 1;
      observer.keysFetched(pool, outcome);
      logger[isUnused() ? 'debug' : 'warn']({ pool, url, err: error }, 'keys could not be fetched');
    }
    scheduleRefresh();
    return fresh;
  };

  const replaceKeys = (next: KeySet): void => {
    const removed = new Set<string>();
    for (const [kid, key] of keys ?? []) {
      const same = next.get(kid);
      if (same === undefined || !same.equals(key)) removed.add(kid);
    }
    keys = next;
    ready = true;
    fetchedAt = clock.monotonic();
    watchStaleness();
    if (removed.size > 0) {
      logger.info({ pool, kids: [...removed] }, 'keys removed by the issuer');
      options.onRemoved(removed);
    }
  };

  const watchStaleness = (): void => {
    staleTimer?.cancel();
    const left = fetchedAt + maxStale - clock.monotonic();
    // A very long wait may be cut short by the clock.
    if (left > 0) staleTimer = clock.after(left, watchStaleness);
    else dropStaleKeys();
  };

  const dropStaleKeys = (): void => {
    const removed = new Set(keys?.keys());
    keys = null;
    logger.error({ pool, url }, 'keys are older than maxStale and no longer used');
    options.onRemoved(removed);
  };

  const scheduleRefresh = (): void => {
    const settled = outcome === 'success' || isUnused();
    const retry = Math.min(FIRST_RETRY * 2 ** (failures - 1), LAST_RETRY, refresh);
    // Spread over a tenth, so that replicas started together do not ask together.
    const delay = (settled ? refresh : retry) * (0.95 + Math.random() * 0.1);
    refreshTimer?.cancel();
    refreshTimer = clock.after(delay, () => void fetchOnce());
  };

  /** Whether this is the one of the pool's two issuers that it does not use. */
  const isUnused = (): boolean => keys === null && outcome === 'absent' && options.otherHasKeys();

  /** Why a key that is not there is not there. */
  const explainMissing = (): Refusal => {
    const answered = keys !== null && outcome === 'success';
    return answered || isUnused() ? deny('AUTHN_KEY_UNKNOWN') : fault('AUTHN_KEYS_UNAVAILABLE');
  };

  /** Whether an unknown key id may cause a fetch now. Failures before the first keys are the retry timer's. */
  const mayAsk = (kid: string): boolean =>
    (keys !== null || isUnused()) && !missing.has(kid) && clock.monotonic() - askedAt >= UNKNOWN_KEY_COOLDOWN;

  return {
    get: (kid) => keys?.get(kid),
    async find(kid) {
      const known = keys?.get(kid);
      if (known !== undefined) return known;
      if (underWay !== null) {
        await underWay;
      } else if (mayAsk(kid)) {
        askedAt = clock.monotonic();
        const fresh = await fetchOnce();
        if (fresh && keys?.has(kid) === false) missing.set(kid, true);
      }
      return keys?.get(kid) ?? explainMissing();
    },
    get ready() {
      return ready;
    },
    age: () => (keys === null ? null : (clock.monotonic() - fetchedAt) / 1000),
    refresh: refresh / 1000,
    start() {
      running = true;
      void fetchOnce();
    },
    stop() {
      running = false;
      refreshTimer?.cancel();
      staleTimer?.cancel();
    },
  };
}

/** Whether a result of {@link KeySource.find} is a key. */
export function isKey(result: KeyObject | Refusal): result is KeyObject {
  return !('code' in result);
}
