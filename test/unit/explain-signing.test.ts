import { describe, expect, it } from 'vitest';
import { type ExplainedRequest, explainRequest } from '../../src/explain.ts';
import { configOf } from '../support/config-text.ts';
import { accessClaims, idClaims, makeKey, signToken } from '../support/token-factory.ts';

const USER_POOL = 'us-east-1_AbCdEf123';
const subject = {
  issuer: `https://cognito-idp.us-east-1.amazonaws.com/${USER_POOL}`,
  clientId: 'app',
};
const key = makeKey();
const role = (name: string): string => `arn:aws:iam::111122223333:role/${name}`;

const config = configOf(`
  userPools:
    main: { userPoolId: ${USER_POOL}, clientIds: [app], tokenUse: [access, id] }
    other: { userPoolId: us-east-1_Other, clientIds: null }
  identityPools:
    main: { identityPoolId: "us-east-1:11111111-2222-3333-4444-555555555555", userPool: main, guest: true }
    other: { identityPoolId: "us-east-1:21111111-2222-3333-4444-555555555555", userPool: other }
    named:
      identityPoolId: us-east-1:31111111-2222-3333-4444-555555555555
      userPool: main
      flow: basic
      roleArn: ${role('basic')}
      logins: { login.my.app: { claim: username, credentials: { source: default } } }
  upstreams:
    api:
      url: https://abc.execute-api.eu-west-1.amazonaws.com
      sign:
        credentials: { identityPool: main }
        roles: [{ when: { userPools: [main], groups: [writers] }, roleArn: "${role('writers')}" }]
    foreign:
      url: https://abc.execute-api.eu-west-1.amazonaws.com
      sign: { credentials: { identityPool: other } }
    named:
      url: https://abc.execute-api.eu-west-1.amazonaws.com
      sign: { credentials: { identityPool: named } }
    files:
      url: https://bucket.s3.us-west-2.amazonaws.com
      sign: { credentials: { source: default }, roleArn: "${role('files')}", payload: stream }
    plain: { url: http://plain.internal }
  routes:
    - { id: api, match: { path: "/api/{p+}" }, allow: optional, upstream: api }
    - { id: foreign, match: { path: "/foreign/{p+}" }, allow: authenticated, upstream: foreign }
    - { id: named, match: { path: "/named/{p+}" }, allow: authenticated, upstream: named }
    - { id: files, match: { path: "/files/{p+}" }, allow: authenticated, upstream: files }
    - { id: plain, match: { path: "/plain" }, allow: public, upstream: plain }
`);

const access = (claims: Record<string, unknown> = {}): string =>
  signToken(key, accessClaims(subject, claims));
const id = (claims: Record<string, unknown> = {}): string => signToken(key, idClaims(subject, claims));

function explain(url: string, token: string | null, idToken: string | null = null) {
  const asked: ExplainedRequest = { method: 'GET', url, token, idToken, now: Date.now() / 1000 };
  const { refusal, signing } = explainRequest(config, asked);
  return refusal === null ? signing : refusal.code;
}

const API = { service: 'execute-api', region: 'eu-west-1', payload: 'hash' };

describe('explain, of signing', () => {
  it.each<[string, () => unknown, unknown]>([
    [
      'a caller with an ID token',
      () => explain('/api/x', id()),
      {
        ...API,
        credentials: "the caller's, by the enhanced flow of identity pool main",
        provider: `cognito-idp.us-east-1.amazonaws.com/${USER_POOL}`,
        role: "the identity pool's choice",
      },
    ],
    [
      'a caller with the ID token beside an access token, and a role that it prefers',
      () => explain('/api/x', access(), id({ 'cognito:preferred_role': role('a') })),
      expect.objectContaining({
        role: `the identity pool's choice: ${role('a')} if it takes roles from the token`,
      }),
    ],
    [
      'a caller for whom a rule has a role',
      () => explain('/api/x', id({ 'cognito:groups': ['writers'], 'cognito:roles': [role('writers')] })),
      expect.objectContaining({ role: role('writers') }),
    ],
    [
      'a caller whose token does not list that role',
      () => explain('/api/x', id({ 'cognito:groups': ['writers'] })),
      'SIGN_ROLE_DENIED',
    ],
    ['a caller with an access token alone', () => explain('/api/x', access()), 'SIGN_ID_TOKEN_REQUIRED'],
    [
      'a caller with the ID token of somebody else',
      () => explain('/api/x', access(), id({ sub: 'other' })),
      'AUTHN_ID_TOKEN_MISMATCH',
    ],
    [
      'a caller with an expired ID token',
      () => explain('/api/x', access(), id({ exp: 1 })),
      'AUTHN_TOKEN_EXPIRED',
    ],
    [
      'a guest',
      () => explain('/api/x', null),
      {
        ...API,
        credentials: "a guest's, by identity pool main",
        provider: null,
        role: "the identity pool's choice for guests",
      },
    ],
    ['a caller of another user pool', () => explain('/foreign/x', id()), 'SIGN_USER_POOL_MISMATCH'],
    [
      'a caller whom the proxy vouches for',
      () => explain('/named/x', access()),
      {
        ...API,
        credentials: "the caller's, by the basic flow of identity pool named",
        provider: 'login.my.app as alice',
        role: role('basic'),
      },
    ],
    [
      "the proxy's own rights",
      () => explain('/files/x', access()),
      {
        service: 's3',
        region: 'us-west-2',
        payload: 'stream',
        credentials: "the proxy's own",
        provider: null,
        role: role('files'),
      },
    ],
    ['what is not signed', () => explain('/plain', null), null],
    ['what is refused before', () => explain('/files/x', null), 'AUTHN_TOKEN_MISSING'],
  ])('%s', (_name, explained, expected) => {
    expect(explained()).toEqual(expected);
  });
});
