import { hash } from 'node:crypto';
import type { Config } from '../config/schema/config.ts';
import type { SignConfig } from '../config/schema/upstreams.ts';
import type { Clock, Logger } from '../core/ports.ts';
import type { CredentialObserver, IdentityPoolPlan } from '../core/signing.ts';
import type { AwsConnections, AwsEndpoint } from './aws-clients.ts';
import { type CallQuota, createCallQuota } from './call-quota.ts';
import { createCallService } from './call-service.ts';
import { compileIdentityPool, ownSourceName } from './compile-signing.ts';
import { createCredentialCache } from './credential-cache.ts';
import type { CredentialSource } from './credentials.ts';
import { createIdentityPoolSource } from './identity-pool-source.ts';
import { createIdentityService } from './identity-service.ts';
import { createOwnKey } from './own-key.ts';
import { createOwnSource } from './own-source.ts';
import { createTokenService } from './token-service.ts';

/** The sources of credentials that the configuration in use names. */
export interface SourceRegister {
  use(config: Config): void;
  get(name: string): CredentialSource | undefined;
  stop(): void;
}

export interface SourceRegisterOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observer: CredentialObserver;
  readonly connections: AwsConnections;
  readonly workers: number;
}

interface Registered {
  readonly source: CredentialSource;
  /** What it was made from: with other settings it is another source, and remembers nothing. */
  readonly settings: string;
  readonly quotas: readonly CallQuota[];
}

export function createSourceRegister(options: SourceRegisterOptions): SourceRegister {
  const { clock, logger, observer, connections, workers } = options;
  let registered = new Map<string, Registered>();

  const cacheFor = (name: string, entries: number) =>
    createCredentialCache({
      entries,
      clock,
      observe: (result, seconds) => observer.onCredentials(name, result, seconds),
    });

  const poolSource = (config: Config, plan: IdentityPoolPlan): Omit<Registered, 'settings'> => {
    const settings = config.identityPools[plan.name];
    if (settings === undefined) throw new Error(`no identity pool ${plan.name}`);
    const { identityPoolId, endpoint, stsEndpoint, timeout } = settings;
    const { entries } = config.credentialCache;
    const region = identityPoolId.split(':', 1)[0] as string;
    const poolQuota = createCallQuota(settings.callsPerSecond / workers, clock);
    const stsQuota = createCallQuota(STS_CALLS_PER_SECOND / workers, clock);
    const developer = Object.values(settings.logins ?? {}).find((login) => 'claim' in login);
    const key = developer === undefined ? null : createOwnKey(developer.credentials, region, connections);
    const source = createIdentityPoolSource({
      plan,
      identityPoolId,
      entries,
      identities: createIdentityService({ region, url: endpoint, timeout }, connections, key),
      tokens: createTokenService({ region, url: stsEndpoint, timeout }, connections, null),
      callPool: createCallService(poolQuota),
      callSts: createCallService(stsQuota),
      cache: cacheFor(plan.name, entries),
      clock,
      logger,
    });
    return { source, quotas: [poolQuota, stsQuota] };
  };

  const ownSource = (name: string, sign: SignConfig, region: string): Omit<Registered, 'settings'> => {
    if ('identityPool' in sign.credentials) throw new Error(`${name} has an identity pool`);
    const endpoint: AwsEndpoint = { region, url: sign.stsEndpoint, timeout: OWN_TIMEOUT };
    const quota = createCallQuota(STS_CALLS_PER_SECOND / workers, clock);
    const key = createOwnKey(sign.credentials, region, connections);
    const source = createOwnSource({
      name,
      key,
      tokens: createTokenService(endpoint, connections, key),
      callSts: createCallService(quota),
      cache: cacheFor(name, OWN_ROLES),
      clock,
      logger,
    });
    return { source, quotas: [quota] };
  };

  return {
    get: (name) => registered.get(name)?.source,
    use() {
    },
    stop() {
      for (const { quotas } of registered.values()) for (const quota of quotas) quota.stop();
      registered = new Map();
    },
  };
}
