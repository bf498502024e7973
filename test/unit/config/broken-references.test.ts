import { describe, expect, it } from 'vitest';
import { problemsIn } from '../../support/config-text.ts';

const CASES: readonly (readonly [title: string, yaml: string, lines: readonly string[]])[] = [
  [
    'a key set that is not there',
    `
      userPools:
        main:
          userPoolId: us-east-1_Abc
          clientIds: null
          keys: { file: no/jwks.json }
    `,
    [
      'c.yaml:5:19: userPools.main.keys.file: the file /etc/proxy/no/jwks.json cannot be read: there is no such file',
    ],
  ],
  [
    'an upstream that is not there',
    `
      routes:
        - { id: a, match: { path: /a }, allow: public, upstream: bord }
        - { id: b, match: { path: /b }, allow: public, upstream: elsewhere }
    `,
    [
      'c.yaml:2:60: routes[0].upstream: there is no upstream "bord", did you mean "board"?',
      'c.yaml:3:60: routes[1].upstream: there is no upstream "elsewhere", expected "board"',
    ],
  ],
  [
    'user pools that are not there',
    `
      userPools:
        main: { userPoolId: us-east-1_Abc, clientIds: null }
      identityPools:
        x: { identityPoolId: "us-east-1:11111111-2222-3333-4444-555555555555", userPool: mian }
      routes:
        - id: a
          match: { path: /a }
          allow: { anyOf: [{ userPools: [main, other] }, { noneOf: [{ userPools: man }] }] }
          upstream: board
    `,
    [
      'c.yaml:4:84: identityPools.x.userPool: there is no user pool "mian", did you mean "main"?',
      'c.yaml:8:42: routes[0].allow.anyOf[0].userPools[1]: there is no user pool "other", expected "main"',
      'c.yaml:8:76: routes[0].allow.anyOf[1].noneOf[0].userPools: there is no user pool "man", did you mean "main"?',
    ],
  ],
  [
    'what a broken part leaves dangling is not said',
    `
      upstreams: { board: 3 }
      userPools: 3
    `,
    ['c.yaml:1:21: upstreams.board: expected a mapping', 'c.yaml:2:12: userPools: expected a mapping, got 3'],
  ],
  [
    'no user pool for a route that needs one',
    `
      userPools: {}
      routes:
        - { id: a, match: { path: /a }, allow: optional, upstream: board }
        - { id: b, match: { path: /b }, allow: authenticated, upstream: board }
    `,
    [
      'c.yaml:3:42: routes[0].allow: needs a user pool to verify tokens of, and none is configured (route "a" and 1 more)',
    ],
  ],
  [
    'one pool under two names',
    `
      userPools:
        main: { userPoolId: us-east-1_Abc, clientIds: null }
        again: { userPoolId: us-east-1_Abc, clientIds: [x] }
    `,
    [
      'c.yaml:3:24: userPools.again.userPoolId: is that of userPools.main already: a token could not say which is meant',
    ],
  ],
  [
    'several pools, and conditions that do not say which',
    `
      userPools:
        main: { userPoolId: us-east-1_Abc, clientIds: null }
        other: { userPoolId: us-east-1_Def, clientIds: null }
      routes:
        - id: a
          match: { path: /a }
          allow: { groups: [admins] }
          upstream: board
        - id: b
          match: { path: /b }
          allow:
            anyOf:
              - { userPools: main, groups: [admins] }
              - { clientIds: x }
          upstream: board
        - id: c
          match: { path: /c }
          allow: { noneOf: [{ claims: { a: b } }] }
          upstream: board
    `,
    [
      'c.yaml:7:5: routes[0].allow.userPools: is missing: there are several user pools (main and other), and groups of one are not those of another',
      'c.yaml:14:11: routes[1].allow.anyOf[1].userPools: is missing: there are several user pools (main and other), and clientIds of one are not those of another',
      'c.yaml:18:23: routes[2].allow.noneOf[0].userPools: is missing: there are several user pools (main and other), and claims of one are not those of another',
    ],
  ],
  [
    'the same id twice',
    `
      routes:
        - { id: a, match: { path: /a }, allow: public, upstream: board }
        - { id: a, match: { path: /b }, allow: public, upstream: board }
    `,
    ['c.yaml:3:11: routes[1].id: "a" is the id of routes[0] already'],
  ],
  [
    'path parameters in claims',
    `
      routes:
        - id: a
          match: { path: "/users/{userId}" }
          allow: { claims: { sub: "{userid}", a: { startsWith: "{userId}" }, b: { not: ["{x}"] } } }
          upstream: board
    `,
    [
      'c.yaml:4:29: routes[0].allow.claims.sub: the path of this route has no parameter {userid}, did you mean "userId"?',
      'c.yaml:4:58: routes[0].allow.claims.a.startsWith: a path parameter can be compared as a whole only',
      'c.yaml:4:83: routes[0].allow.claims.b.not[0]: the path of this route has no parameter {x}',
    ],
  ],
  [
    'flows of identity pools',
    `
      identityPools:
        a: { identityPoolId: "us-east-1:11111111-2222-3333-4444-555555555555", userPool: main, flow: basic }
        b:
          identityPoolId: us-east-1:11111111-2222-3333-4444-555555555555
          userPool: main
          roleArn: arn:aws:iam::111122223333:role/x
        c: { identityPoolId: us-east-1, userPool: main, roleArn: admin }
    `,
    [
      'c.yaml:2:3: identityPools.a.roleArn: is missing: the basic flow needs a role to assume',
      'c.yaml:6:14: identityPools.b.roleArn: is for flow: basic only',
      'c.yaml:7:24: identityPools.c.identityPoolId: expected an identity pool id such as us-east-1:11111111-2222-3333-4444-555555555555, got "us-east-1"',
      'c.yaml:7:60: identityPools.c.roleArn: expected the ARN of an IAM role, got "admin"',
    ],
  ],
  [
    'an identity pool that is not there, and a parameter where there is no path',
    `
      upstreams:
        board:
          url: https://abc.execute-api.us-east-1.amazonaws.com
          sign:
            credentials: { identityPool: mian }
            roles: [{ when: { claims: { a: "{b}" } }, roleArn: "arn:aws:iam::111122223333:role/x" }]
      identityPools:
        main: { identityPoolId: "us-east-1:11111111-2222-3333-4444-555555555555", userPool: main }
    `,
    [
      'c.yaml:5:36: upstreams.board.sign.credentials.identityPool: there is no identity pool "mian", did you mean "main"?',
      'c.yaml:6:38: upstreams.board.sign.roles[0].when.claims.a: there is no path here to take a parameter from',
    ],
  ],
];

describe('a file whose parts do not fit together', () => {
  it.each(CASES)('%s', (_, yaml, lines) => {
    expect(problemsIn(yaml)).toEqual(lines);
  });
});
