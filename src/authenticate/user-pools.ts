import type { UserPoolConfig } from '../config/schema/pools.ts';
import type { Clock, FetchKeyDocument, KeyObserver, KeySource, Logger } from '../core/ports.ts';
import { type Issuer, issuersOf } from './issuers.ts';
import { createKeySource } from './key-source.ts';
import type { PoolPolicy } from './read-principal.ts';
import type { TokenCache } from './token-cache.ts';

/** What a token that claims an issuer is checked with. */
export interface IssuerAtWork {
  readonly policy: PoolPolicy;
  readonly keys: KeySource;
}

/** All user pools, looked up by the issuer that a token claims. */
export interface UserPools {
  byIssuer(issuer: string): IssuerAtWork | undefined;
  /** Whether every pool has had keys; once it is so, it stays so. */
  ready(): boolean;
  /** Resolves when that is so for the first time. */
  readonly whenReady: Promise<void>;
  /** Seconds since each pool's keys were fetched; pools without keys are left out. */
  ages(): ReadonlyMap<string, number>;
  /** Seconds between two fetches of each pool's keys. */
  refreshes(): ReadonlyMap<string, number>;
  /** Takes over changed settings; keys stay where nothing changed about where they come from. */
  configure(pools: Readonly<Record<string, UserPoolConfig>>): void;
  stop(): void;
}

export interface UserPoolsOptions {
  /** What was verified with a pool's keys is forgotten with them. */
  readonly caches: readonly Pick<TokenCache, 'evict'>[];
  readonly fetch: FetchKeyDocument;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observer: KeyObserver;
  readonly dev: boolean;
}

/** A user pool at work. */
interface UserPool {
  /** Its settings, to be compared with new ones: all of them, and those that the keys depend on. */
  readonly settings: string;
  readonly keySettings: string;
  readonly policy: PoolPolicy;
  readonly issuers: readonly Issuer[];
  /** By the address of the key set, which the issuers of one pool may share. */
  readonly sources: ReadonlyMap<string, KeySource>;
}

/** Milliseconds between two readings of a key set on disk, and for one reading. */
const FILE_TIMING = { refresh: 60_000, maxStale: Number.POSITIVE_INFINITY, timeout: 1_500 };

export function createUserPools(options: UserPoolsOptions): UserPools {
  const { caches, dev, fetch, clock, logger, observer } = options;
  let pools: ReadonlyMap<string, UserPool> | null = null;
  let issuers: ReadonlyMap<string, IssuerAtWork> = new Map();
  let ready = false;
  const becameReady = Promise.withResolvers<void>();

  const seeWhetherReady = (): void => {
    if (ready || pools === null) return;
    ready = [...pools.values()].every(hasHadKeys);
    if (ready) becameReady.resolve();
  };

  const evict = (name: string, kids: ReadonlySet<string> | null): void => {
    for (const cache of caches) cache.evict(name, kids);
  };

  const openSources = (name: string, config: UserPoolConfig): ReadonlyMap<string, KeySource> => {
    const timing = 'file' in config.keys ? FILE_TIMING : config.keys;
    const sources = new Map<string, KeySource>();
    for (const url of new Set(issuersOf(config).map((issuer) => issuer.keysUrl))) {
      const source = createKeySource({
        pool: name,
        url,
        refresh: timing.refresh,
        maxStale: timing.maxStale,
        timeout: timing.timeout,
        dev,
        fetch,
        clock,
        logger,
        observer: {
          keysFetched(pool, result) {
            observer.keysFetched(pool, result);
            seeWhetherReady();
          },
        },
        otherHasKeys: () => [...sources].some(([at, other]) => at !== url && other.ready),
        onRemoved: (kids) => evict(name, kids),
      });
      sources.set(url, source);
    }
    for (const source of sources.values()) source.start();
    return sources;
  };

  /** @param current the pool of that name so far */
  const open = (name: string, config: UserPoolConfig, current: UserPool | undefined): UserPool => {
    const settings = JSON.stringify(config);
    if (current?.settings === settings) return current;
    const keySettings = JSON.stringify([config.userPoolId, config.issuer, config.keys]);
    return {
      settings,
      keySettings,
      policy: policyOf(name, config),
      issuers: issuersOf(config),
      sources: current?.keySettings === keySettings ? current.sources : openSources(name, config),
    };
  };

  /** Lets go of what the pools so far have and those to come do not. */
  const release = (next: ReadonlyMap<string, UserPool>): void => {
    for (const [name, pool] of pools ?? []) {
      const successor = next.get(name);
      if (successor === pool) continue;
      evict(name, null);
      if (successor?.sources === pool.sources) continue;
      for (const source of pool.sources.values()) source.stop();
    }
  };

  return {
    byIssuer: (issuer) => issuers.get(issuer),
    ready: () => ready,
    whenReady: becameReady.promise,
    ages() {
      const ages = new Map<string, number>();
      for (const [name, pool] of pools ?? []) {
        const known = [...pool.sources.values()].map((source) => source.age()).filter((age) => age !== null);
        if (known.length > 0) ages.set(name, Math.max(...known));
      }
      return ages;
    },
    refreshes() {
      const refreshes = new Map<string, number>();
      for (const [name, pool] of pools ?? []) {
        for (const source of pool.sources.values()) refreshes.set(name, source.refresh);
      }
      return refreshes;
    },
    configure(configs) {
      const next = new Map<string, UserPool>();
      const nextIssuers = new Map<string, IssuerAtWork>();
      for (const [name, config] of Object.entries(configs)) {
        const pool = open(name, config, pools?.get(name));
        next.set(name, pool);
        // A key set on disk is watched with the configuration: what has brought us here may be its change.
        if ('file' in config.keys) for (const source of pool.sources.values()) source.start();
        for (const { issuer, keysUrl } of pool.issuers) {
          const keys = pool.sources.get(keysUrl);
          if (keys !== undefined) nextIssuers.set(issuer, { policy: pool.policy, keys });
        }
      }
      release(next);
      pools = next;
      issuers = nextIssuers;
      seeWhetherReady();
    },
    stop() {
      for (const pool of pools?.values() ?? []) for (const source of pool.sources.values()) source.stop();
    },
  };
}

function hasHadKeys(pool: UserPool): boolean {
  return [...pool.sources.values()].some((source) => source.ready);
}

function policyOf(name: string, config: UserPoolConfig): PoolPolicy {
  return {
    name,
    clientIds: config.clientIds === null ? null : new Set(config.clientIds),
    tokenUse: new Set(config.tokenUse),
    graceSeconds: config.graceSeconds,
  };
}

/** What each issuer's pool accepts, without its keys. */
export function poolPolicies(
  pools: Readonly<Record<string, UserPoolConfig>>,
): ReadonlyMap<string, PoolPolicy> {
  return new Map(
    Object.entries(pools).flatMap(([name, config]) =>
      issuersOf(config).map(({ issuer }) => [issuer, policyOf(name, config)] as const),
    ),
  );
}
