import { hash } from 'node:crypto';
import type { Config } from '../config/schema/config.ts';
import type { UpstreamConfig } from '../config/schema/upstreams.ts';
import type { Clock, Logger } from '../core/ports.ts';
import type { CredentialObserver } from '../core/signing.ts';
import type { AwsConnections } from './aws-clients.ts';
import { type CallQuota, createCallQuota } from './call-quota.ts';
import { createCallService } from './call-service.ts';
import { compileIdentityPool, ownSourceName, signingScope } from './compile-signing.ts';
import { type CredentialCache, createCredentialCache } from './credential-cache.ts';
import type { CredentialSource } from './credentials.ts';
import { createIdentityPoolSource } from './identity-pool-source.ts';
import { createIdentityService } from './identity-service.ts';
import { createOwnKey } from './own-key.ts';
import { createOwnSource } from './own-source.ts';
import { createTokenService } from './token-service.ts';

/** The sources of credentials that the configuration in use names. */
export interface SourceRegister {
  /** Takes over a configuration: a source whose settings are the same keeps what it remembers. */
  use(config: Config): void;
  get(name: string): CredentialSource | undefined;
  stop(): void;
}

export interface SourceRegisterOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observer: CredentialObserver;
  readonly connections: AwsConnections;
  /** Among how many processes rates are shared out. */
  readonly workers: number;
}

/** What a source is made from, and how. */
interface Recipe {
  readonly name: string;
  readonly settings: unknown;
  readonly make: () => Made;
}

interface Made {
  readonly source: CredentialSource;
  readonly quotas: readonly CallQuota[];
}

/** STS allows 600 calls a second by default ("AWS STS quotas", IAM User Guide): far from all of it is ours. */
const STS_CALLS_PER_SECOND = 100;

/** Milliseconds for a call that no identity pool has a timeout for. */
const OWN_TIMEOUT = 5_000;

/** Roles assumed with the proxy's own credentials, which only the configuration names. */
const OWN_ENTRIES = 1_000;

export function createSourceRegister(options: SourceRegisterOptions): SourceRegister {
  let current = new Map<string, Made & { readonly fingerprint: string }>();

  return {
    use(config) {
      const kept: typeof current = new Map();
      for (const { name, settings, make } of recipes(config, options)) {
        // A hash, since the settings have secrets in them.
        const fingerprint = hash('sha256', JSON.stringify(settings), 'base64');
        const known = current.get(name);
        kept.set(name, known?.fingerprint === fingerprint ? known : { ...make(), fingerprint });
        if (kept.get(name) === known) current.delete(name);
      }
      stopAll(current);
      current = kept;
    },
    get: (name) => current.get(name)?.source,
    stop() {
      stopAll(current);
      current = new Map();
    },
  };
}

function stopAll(sources: ReadonlyMap<string, Made>): void {
  for (const { quotas } of sources.values()) for (const quota of quotas) quota.stop();
}

function recipes(config: Config, options: SourceRegisterOptions): Recipe[] {
  const pools = Object.keys(config.identityPools).map((name) => poolRecipe(config, name, options));
  const own = Object.entries(config.upstreams).flatMap(([name, upstream]) =>
    ownRecipe(name, upstream, options),
  );
  return [...pools, ...own];
}

function poolRecipe(config: Config, name: string, options: SourceRegisterOptions): Recipe {
  const settings = config.identityPools[name];
  if (settings === undefined) throw new Error(`no identity pool ${name}`);
  const { connections, workers, clock, logger } = options;
  const { entries } = config.credentialCache;
  const plan = compileIdentityPool(config, name, settings);

  return {
    name,
    settings: [settings, plan, entries],
    make() {
      const { identityPoolId, timeout } = settings;
      const region = identityPoolId.split(':', 1)[0] as string;
      const poolQuota = createCallQuota(settings.callsPerSecond / workers, clock);
      const stsQuota = createCallQuota(STS_CALLS_PER_SECOND / workers, clock);
      const developer = Object.values(settings.logins ?? {}).find((login) => 'claim' in login);
      const key = developer === undefined ? null : createOwnKey(developer.credentials, region, connections);
      const source = createIdentityPoolSource({
        plan,
        identityPoolId,
        entries,
        identities: createIdentityService({ region, url: settings.endpoint, timeout }, connections, key),
        tokens: createTokenService({ region, url: settings.stsEndpoint, timeout }, connections, null),
        callPool: createCallService(poolQuota),
        callSts: createCallService(stsQuota),
        cache: cacheFor(name, entries, options),
        clock,
        logger,
      });
      return { source, quotas: [poolQuota, stsQuota] };
    },
  };
}

function ownRecipe(upstreamName: string, upstream: UpstreamConfig, options: SourceRegisterOptions): Recipe[] {
  const { sign } = upstream;
  if (sign === undefined || 'identityPool' in sign.credentials) return [];
  const { connections, workers, clock, logger } = options;
  const { credentials, stsEndpoint } = sign;
  const { region } = signingScope(upstream, sign);
  const name = ownSourceName(upstreamName);

  return [
    {
      name,
      settings: [credentials, stsEndpoint, region],
      make() {
        const quota = createCallQuota(STS_CALLS_PER_SECOND / workers, clock);
        const key = createOwnKey(credentials, region, connections);
        const endpoint = { region, url: stsEndpoint, timeout: OWN_TIMEOUT };
        const source = createOwnSource({
          name,
          key,
          tokens: createTokenService(endpoint, connections, key),
          callSts: createCallService(quota),
          cache: cacheFor(name, OWN_ENTRIES, options),
          clock,
          logger,
        });
        return { source, quotas: [quota] };
      },
    },
  ];
}

function cacheFor(
  name: string,
  entries: number,
  { clock, observer }: SourceRegisterOptions,
): CredentialCache {
  return createCredentialCache({
    entries,
    clock,
    observe: (result, seconds) => observer.credentialsUsed(name, result, seconds),
  });
}
