import { describe, expect, it } from 'vitest';
import { problemsIn } from '../../support/config-text.ts';

const POOLS = `
      identityPools:
        main: { identityPoolId: "us-east-1:11111111-2222-3333-4444-555555555555", userPool: main }
`;

const CASES: readonly (readonly [title: string, yaml: string, lines: readonly string[]])[] = [
  [
    'a host that tells neither service nor region',
    `
      upstreams:
        board:
          url: https://board.internal
          sign: { credentials: { source: default } }
    `,
    [
      'c.yaml:4:5: upstreams.board.sign.service: is missing: the host of this upstream does not tell the service to sign for',
      'c.yaml:4:5: upstreams.board.sign.region: is missing: the host of this upstream does not tell the region to sign for',
    ],
  ],
  [
    'a host that tells no region',
    `
      upstreams:
        board:
          url: https://bucket.s3-accelerate.amazonaws.com
          sign: { credentials: { source: default } }
    `,
    [
      'c.yaml:4:5: upstreams.board.sign.region: is missing: the host of this upstream does not tell the region to sign for',
    ],
  ],
  [
    'addresses in two regions',
    `
      upstreams:
        board:
          urls: [https://a.execute-api.us-east-1.amazonaws.com, https://a.execute-api.eu-west-1.amazonaws.com]
          sign: { credentials: { source: default } }
    `,
    [
      'c.yaml:4:5: upstreams.board.sign.region: is missing: the addresses of this upstream differ in it (us-east-1, eu-west-1)',
    ],
  ],
  [
    'a body that a service does not take unsigned',
    `
      upstreams:
        board:
          url: https://a.execute-api.us-east-1.amazonaws.com
          sign: { credentials: { source: default }, payload: unsigned }
    `,
    ['c.yaml:4:56: upstreams.board.sign.payload: unsigned is for S3 only: execute-api takes hash'],
  ],
  [
    'a body that a service does not take in signed chunks',
    `
      upstreams:
        board:
          url: https://dynamodb.us-east-1.amazonaws.com
          sign: { credentials: { source: default }, payload: stream }
    `,
    ['c.yaml:4:56: upstreams.board.sign.payload: stream is for S3 only: dynamodb takes hash'],
  ],
  [
    'a body that nothing protects',
    `
      upstreams:
        board:
          url: http://bucket.s3.us-east-1.amazonaws.com
          sign: { credentials: { source: default }, payload: unsigned }
    `,
    [
      'c.yaml:4:56: upstreams.board.sign.payload: unsigned needs an https upstream: nothing else would protect the body',
    ],
  ],
  [
    'a public route to where callers are signed for',
    `
      upstreams:
        board:
          url: https://a.execute-api.us-east-1.amazonaws.com
          sign: { credentials: { identityPool: main } }
      routes: [{ id: a, match: { path: /a }, allow: public, upstream: board }]${POOLS}
    `,
    [
      "c.yaml:5:47: routes[0].allow: signs with each caller's own credentials, and a public route knows no caller: allow: optional lets guests in",
    ],
  ],
  [
    'an STS endpoint in the clear',
    `
      upstreams:
        board:
          url: https://a.execute-api.us-east-1.amazonaws.com
          sign: { credentials: { source: default }, stsEndpoint: http://sts.internal }
    `,
    [
      'c.yaml:4:60: upstreams.board.sign.stsEndpoint: expected an https URL: http is accepted on loopback addresses and in dev only',
    ],
  ],
  [
    'headers that cannot carry a token',
    `
      identityPools:
        main:
          identityPoolId: us-east-1:11111111-2222-3333-4444-555555555555
          userPool: main
          logins:
            a.example: { header: Authorization }
            b.example: { header: X-Id-Token }
            c.example: { header: x-token }
            d.example: { header: X-Token }
    `,
    [
      'c.yaml:6:28: identityPools.main.logins["a.example"].header: authorization cannot carry a token of another provider: it means something else',
      'c.yaml:7:28: identityPools.main.logins["b.example"].header: x-id-token carries another token already',
      'c.yaml:9:28: identityPools.main.logins["d.example"].header: x-token carries another token already',
    ],
  ],
  [
    'two developer providers',
    `
      identityPools:
        main:
          identityPoolId: us-east-1:11111111-2222-3333-4444-555555555555
          userPool: main
          logins:
            a.example: { claim: sub, credentials: { source: default } }
            b.example: { claim: sub, credentials: { source: default } }
    `,
    ['c.yaml:7:18: identityPools.main.logins["b.example"]: an identity pool has one developer provider only'],
  ],
  [
    'a login that is neither',
    `
      identityPools:
        main:
          identityPoolId: us-east-1:11111111-2222-3333-4444-555555555555
          userPool: main
          logins: { a.example: { claim: sub } }
    `,
    ['c.yaml:5:15: identityPools.main.logins["a.example"].credentials: is missing'],
  ],
  [
    'credentials that are nothing',
    `
      upstreams:
        board:
          url: https://a.execute-api.us-east-1.amazonaws.com
          sign: { credentials: { source: instance } }
    `,
    ['c.yaml:4:36: upstreams.board.sign.credentials.source: expected "default"'],
  ],
  [
    'a role that is none',
    `
      upstreams:
        board:
          url: https://a.execute-api.us-east-1.amazonaws.com
          sign: { credentials: { source: default }, roleArn: writers }
    `,
    ['c.yaml:4:56: upstreams.board.sign.roleArn: expected the ARN of an IAM role, got "writers"'],
  ],
];

describe('signing that does not fit', () => {
  it.each(CASES)('%s', (_, yaml, lines) => {
    expect(problemsIn(yaml)).toEqual(lines);
  });

  it.each(['https://bucket.s3.us-east-1.amazonaws.com', 'http://127.0.0.1:9000', 'http://localhost:9000'])(
    'takes unsigned bodies to %s',
    (url) => {
      const sign = '{ service: s3, region: us-east-1, credentials: { source: default }, payload: unsigned }';
      expect(problemsIn(`upstreams: { board: { url: "${url}", sign: ${sign} } }`)).toEqual([]);
    },
  );
});
