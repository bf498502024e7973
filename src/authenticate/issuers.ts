import { pathToFileURL } from 'node:url';
import type { UserPoolConfig } from '../config/schema/pools.ts';

/** An issuer of a user pool, and where its keys are. */
export interface Issuer {
  readonly issuer: string;
  readonly keysUrl: string;
}

/**
 * The issuers whose tokens belong to a pool. Cognito has two forms, ORIGINAL and UPDATED (Amazon Cognito API reference,
 * IssuerConfigurationType); a pool's tokens may carry either, so both are accepted.
 */
export function issuersOf(pool: UserPoolConfig): Issuer[] {
  const { keys } = pool;
  const configured = 'file' in keys ? pathToFileURL(keys.file).href : keys.url;
  const issuers = pool.issuer === undefined ? derivedIssuers(pool.userPoolId) : [pool.issuer];
  return issuers.map((issuer) => ({ issuer, keysUrl: configured ?? `${issuer}/.well-known/jwks.json` }));
}

function derivedIssuers(userPoolId: string): string[] {
  const region = userPoolId.slice(0, userPoolId.indexOf('_'));
  const domain = domainOf(region);
  return [
    `https://cognito-idp.${region}.${domain}/${userPoolId}`,
    `https://issuer-cognito-idp.${region}.${domain}/${userPoolId}`,
  ];
}

/** The DNS suffix of the partition a region is in (partitions.json of the AWS SDKs); others need `issuer`. */
function domainOf(region: string): string {
  if (region.startsWith('cn-')) return 'amazonaws.com.cn';
  return region.startsWith('eusc-') ? 'amazonaws.eu' : 'amazonaws.com';
}
