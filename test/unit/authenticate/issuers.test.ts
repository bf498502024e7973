import { describe, expect, it } from 'vitest';
import { issuersOf } from '../../../src/authenticate/issuers.ts';
import { userPool } from '../../../src/config/schema/pools.ts';

const pool = (settings: object) =>
  userPool.parse({ userPoolId: 'us-east-1_AbCdEf123', clientIds: null, ...settings });

describe('issuersOf', () => {
  it.each([
    ['us-east-1_AbCdEf123', 'us-east-1.amazonaws.com'],
    ['us-gov-west-1_AbCdEf123', 'us-gov-west-1.amazonaws.com'],
    ['ap-northeast-2_AbCdEf123', 'ap-northeast-2.amazonaws.com'],
    ['cn-north-1_AbCdEf123', 'cn-north-1.amazonaws.com.cn'],
    ['eusc-de-east-1_AbCdEf123', 'eusc-de-east-1.amazonaws.eu'],
  ])('derives both forms for %s', (userPoolId, domain) => {
    expect(issuersOf(pool({ userPoolId }))).toEqual([
      {
        issuer: `https://cognito-idp.${domain}/${userPoolId}`,
        keysUrl: `https://cognito-idp.${domain}/${userPoolId}/.well-known/jwks.json`,
      },
      {
        issuer: `https://issuer-cognito-idp.${domain}/${userPoolId}`,
        keysUrl: `https://issuer-cognito-idp.${domain}/${userPoolId}/.well-known/jwks.json`,
      },
    ]);
  });

  it('takes the configured issuer instead of both', () => {
    const issuer = 'http://127.0.0.1:9229/local_1';
    expect(issuersOf(pool({ issuer }))).toEqual([{ issuer, keysUrl: `${issuer}/.well-known/jwks.json` }]);
  });

  it('looks for the keys of both forms at a configured address', () => {
    const url = 'https://vpce.internal/jwks.json';
    expect(issuersOf(pool({ keys: { url } })).map((issuer) => issuer.keysUrl)).toEqual([url, url]);
  });

  it('names a key set on disk by a URL', () => {
    const [first] = issuersOf(pool({ keys: { file: '/etc/keys/a b#1.json' } }));
    expect(first?.keysUrl).toBe('file:///etc/keys/a%20b%231.json');
  });
});
