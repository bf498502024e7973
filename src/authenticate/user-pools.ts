import type { UserPoolConfig } from '../config/schema/pools.ts';
import type { Clock, FetchKeyDocument, KeyObserver, KeySource, Logger } from '../core/ports.ts';
import { issuersOf } from './issuers.ts';
import { createKeySource } from './key-source.ts';
import type { PoolPolicy } from './read-principal.ts';
import type { TokenCache } from './token-cache.ts';

/** A user pool at work: what it accepts, and the keys of each of its issuers. */
export interface UserPool {
  readonly policy: PoolPolicy;
  readonly sources: readonly KeySource[];
}

/** All user pools, looked up by the issuer that a token claims. */
export interface UserPools {
  byIssuer(issuer: string): { readonly policy: PoolPolicy; readonly keys: KeySource } | undefined;
  /** Whether every pool has had keys once. */
  ready(): boolean;
  /** Resolves when that is so for the first time. */
  readonly whenReady: Promise<void>;
  /** Seconds since each pool's keys were fetched; pools without keys are left out. */
  ages(): ReadonlyMap<string, number>;
  /** Takes over changed settings; pools that did not change keep their keys. */
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

/** Milliseconds between two readings of a key set on disk. */
const FILE_REFRESH = 60_000;

export function createUserPools(options: UserPoolsOptions): UserPools {
  let pools = new Map<string, { readonly config: string; readonly pool: UserPool }>();
  const becomesReady = Promise.withResolvers<void>();
  let issuers = new Map<string, { readonly policy: PoolPolicy; readonly keys: KeySource }>();

  const ready = (): boolean =>
    [...pools.values()].every(({ pool }) => pool.sources.some((source) => source.ready));

  const evict = (name: string, kids: ReadonlySet<string> | null): void => {
    for (const cache of options.caches) cache.evict(name, kids);
  };

  const open = (name: string, config: UserPoolConfig): UserPool => {
    const sources: KeySource[] = [];
    const byUrl = new Map<string, KeySource>();
    const timing =
      'file' in config.keys
        ? { refresh: FILE_REFRESH, maxStale: Number.POSITIVE_INFINITY, timeout: 1_500 }
        : config.keys;
    for (const { keysUrl } of issuersOf(config)) {
      if (byUrl.has(keysUrl)) continue;
      const source = createKeySource({
        pool: name,
        url: keysUrl,
        refresh: timing.refresh,
        maxStale: timing.maxStale,
        timeout: timing.timeout,
        dev: options.dev,
        fetch: options.fetch,
        clock: options.clock,
        logger: options.logger,
        observer: {
          keysFetched(pool, result) {
            options.observer.keysFetched(pool, result);
            if (ready()) becomesReady.resolve();
          },
        },
        poolHasKeys: () => sources.some((other) => other.ready),
        onRemoved: (kids) => evict(name, kids),
      });
      byUrl.set(keysUrl, source);
      sources.push(source);
      source.start();
    }
    return {
      policy: policyOf(name, config),
      sources,
    };
  };

  return {
    byIssuer: (issuer) => issuers.get(issuer),
    ready,
    whenReady: becomesReady.promise,
    ages() {
      const ages = new Map<string, number>();
      for (const [name, { pool }] of pools) {
        const known = pool.sources.map((source) => source.age()).filter((age) => age !== null);
        if (known.length > 0) ages.set(name, Math.max(...known));
      }
      return ages;
    },
    configure(configs) {
      const next: typeof pools = new Map();
      const nextIssuers: typeof issuers = new Map();
      for (const [name, config] of Object.entries(configs)) {
        const text = JSON.stringify(config);
        const current = pools.get(name);
        const kept = current?.config === text ? current : { config: text, pool: open(name, config) };
        next.set(name, kept);
        const issuerList = issuersOf(config);
        issuerList.forEach(({ issuer, keysUrl }, i) => {
          const shared = issuerList.findIndex((other) => other.keysUrl === keysUrl);
          const keys = kept.pool.sources[Math.min(i, shared)];
          if (keys !== undefined) nextIssuers.set(issuer, { policy: kept.pool.policy, keys });
        });
      }
      for (const [name, { pool }] of pools) {
        if (next.get(name)?.pool === pool) continue;
        for (const source of pool.sources) source.stop();
        evict(name, null);
      }
      pools = next;
      issuers = nextIssuers;
      if (ready()) becomesReady.resolve();
    },
    stop() {
      for (const { pool } of pools.values()) for (const source of pool.sources) source.stop();
    },
  };
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
