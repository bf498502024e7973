import type { Config } from '../config/schema/config.ts';
import type { IdentityPoolConfig } from '../config/schema/pools.ts';
import type { ConditionsConfig } from '../config/schema/rules.ts';
import type { SignConfig, UpstreamConfig } from '../config/schema/upstreams.ts';
import { isS3, readAwsHost } from '../core/aws-hosts.ts';
import type { Condition } from '../core/rule.ts';
import type { CredentialPlan, IdentityPoolPlan, SigningPlan } from '../core/signing.ts';

/**
 * Compiles how upstreams are signed, by their names, for a checked configuration.
 * @param compileConditions as for what routes allow
 */
export function compileSigning(
  config: Config,
  compileConditions: (conditions: ConditionsConfig) => Condition,
): Map<string, SigningPlan> {
  const plans = new Map<string, SigningPlan>();
  for (const [name, upstream] of Object.entries(config.upstreams)) {
    const { sign } = upstream;
    if (sign === undefined) continue;
    const { service, region } = signingScope(upstream, sign);
    plans.set(name, {
      service,
      region,
      s3: isS3(service),
      payload: sign.payload,
      source: compileSource(config, name, sign),
      roles: sign.roles.map((rule) => ({ when: compileConditions(rule.when), roleArn: rule.roleArn })),
      roleArn: sign.roleArn,
    });
  }
  return plans;
}

/** Service and region as configured, or else as the host of the upstream's first address says. */
export function signingScope(
  upstream: UpstreamConfig,
  sign: SignConfig,
): { readonly service: string; readonly region: string } {
  const host = new URL(upstream.url ?? upstream.urls?.[0] ?? '').hostname;
  const read = readAwsHost(host);
  const service = sign.service ?? read?.service;
  const region = sign.region ?? read?.region;
  if (service === undefined || region == null) throw new Error(`no service and region for ${host}`);
  return { service, region };
}

function compileSource(config: Config, upstream: string, sign: SignConfig): CredentialPlan {
  const { credentials } = sign;
  if (!('identityPool' in credentials)) return { kind: 'own', name: ownSourceName(upstream) };
  const settings = config.identityPools[credentials.identityPool];
  if (settings === undefined) throw new Error(`no identity pool ${credentials.identityPool}`);
  return compileIdentityPool(config, credentials.identityPool, settings);
}

/** No upstream and no identity pool is called so: a slash is not allowed in a name. */
export function ownSourceName(upstream: string): string {
  return `own/${upstream}`;
}

export function compileIdentityPool(
  config: Config,
  name: string,
  settings: IdentityPoolConfig,
): IdentityPoolPlan {
  const userPool = config.userPools[settings.userPool];
  if (userPool === undefined) throw new Error(`no user pool ${settings.userPool}`);
  const logins = Object.entries(settings.logins ?? {});
  const developer = logins.flatMap(([provider, login]) =>
    'claim' in login ? [{ provider, claim: login.claim }] : [],
  )[0];
  const region = userPool.userPoolId.split('_', 1)[0] as string;
  return {
    kind: 'identityPool',
    name,
    userPool: settings.userPool,
    provider: `cognito-idp.${region}.${domainOf(region)}/${userPool.userPoolId}`,
    ownProvider: ownProvider(settings.identityPoolId.split(':', 1)[0] as string),
    flow: settings.flow,
    roleArn: settings.roleArn ?? null,
    guest: settings.guest,
    needsIdToken: developer === undefined,
    headerLogins: logins.flatMap(([provider, login]) =>
      'header' in login ? [{ provider, header: login.header }] : [],
    ),
    developer: developer ?? null,
  };
}

/** In China the service goes by the name of its region ("Creating roles for role mapping", Amazon Cognito in China). */
function ownProvider(region: string): string {
  return region.startsWith('cn-')
    ? `cognito-identity.${region}.amazonaws.com.cn`
    : 'cognito-identity.amazonaws.com';
}

function domainOf(region: string): string {
  return region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
}
