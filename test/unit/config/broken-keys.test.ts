import { describe, expect, it } from 'vitest';
import { problemsIn } from '../../support/config-text.ts';

const CASES: readonly (readonly [title: string, yaml: string, lines: readonly string[]])[] = [
  [
    'an unknown key',
    `
      userPols: {}
    `,
    ['c.yaml:1:1: userPols: unknown key, did you mean "userPools"?'],
  ],
  [
    'an unknown key that is near nothing',
    `
      frobnicate: 1
    `,
    [
      'c.yaml:1:1: frobnicate: unknown key, expected server, admin, userPools, tokenCache, identityPools, credentialCache, upstreams, routes, enforce, rateLimits, cors, tokenSources, identity, metrics or log',
    ],
  ],
  [
    'a key in the wrong place, too far out',
    `
      listen: 0.0.0.0:80
    `,
    ['c.yaml:1:1: listen: unknown key, did you mean server.listen or admin.listen?'],
  ],
  [
    'a key in the wrong place, too far in',
    `
      routes:
        - id: a
          match: { path: /a, upstream: board }
          allow: public
    `,
    [
      'c.yaml:2:5: routes[0].upstream: is missing',
      'c.yaml:3:24: routes[0].match.upstream: unknown key: it belongs one level further out',
    ],
  ],
  [
    'a misspelt key is not missing as well',
    `
      routes:
        - id: a
          match: { path: /a }
          allow: public
          upstrem: board
    `,
    ['c.yaml:5:5: routes[0].upstrem: unknown key, did you mean "upstream"?'],
  ],
  [
    'missing keys, at what they are missing from',
    `
      routes:
        - match: {}
          allow: public
    `,
    [
      'c.yaml:2:5: routes[0].match.path: is missing',
      'c.yaml:2:5: routes[0].id: is missing',
      'c.yaml:2:5: routes[0].upstream: is missing',
    ],
  ],
  [
    'no upstreams and no routes',
    `
      upstreams: {}
      routes: []
    `,
    [
      'c.yaml:1:12: upstreams: expected at least one upstream',
      'c.yaml:2:9: routes: expected at least one entry',
    ],
  ],
  [
    'clientIds left out',
    `
      userPools:
        main:
          userPoolId: us-east-1_Abc
    `,
    [
      'c.yaml:2:3: userPools.main.clientIds: is missing: list the app clients whose tokens are accepted, or write null to accept any client of this pool',
    ],
  ],
  [
    'conditions misspelt',
    `
      routes:
        - id: a
          match: { path: /a }
          allow:
            group: [writers]
            scopes: { anyof: [x] }
          upstream: board
    `,
    [
      'c.yaml:5:7: routes[0].allow.group: unknown key, did you mean "groups"?',
      'c.yaml:6:17: routes[0].allow.scopes.anyof: unknown key, did you mean "anyOf"?',
    ],
  ],
  [
    'claims',
    `
      routes:
        - id: a
          match: { path: /a }
          allow:
            claims:
              a: { startWith: x }
              b: { present: true, equals: 1 }
              c: {}
              d: [null]
          upstream: board
    `,
    [
      'c.yaml:6:14: routes[0].allow.claims.a.startWith: unknown key, did you mean "startsWith"?',
      'c.yaml:7:12: routes[0].allow.claims.b: "present" and "equals" cannot stand together',
      'c.yaml:8:12: routes[0].allow.claims.c: expected the key "present", "equals", "not", "startsWith" or "contains"',
      'c.yaml:9:13: routes[0].allow.claims.d[0]: expected text, a number or true or false, got null',
    ],
  ],
  [
    'keys from two places',
    `
      userPools:
        main:
          userPoolId: us-east-1_Abc
          clientIds: null
          keys: { file: jwks.json, url: https://example.com }
    `,
    ['c.yaml:5:11: userPools.main.keys: "file" and "url" cannot stand together'],
  ],
  [
    'token sources',
    `
      tokenSources: [authorisation, { headr: x }, 3]
    `,
    [
      'c.yaml:1:16: tokenSources[0]: expected "authorization", "websocketProtocol", { header: ... }, { cookie: ... } or { query: ... }, got "authorisation", did you mean "authorization"?',
      'c.yaml:1:33: tokenSources[1].headr: unknown key, did you mean "header"?',
      'c.yaml:1:45: tokenSources[2]: expected "authorization", "websocketProtocol", { header: ... }, { cookie: ... } or { query: ... }, got 3',
    ],
  ],
  [
    'header names',
    `
      identity:
        prefix: X_Id
        headers: { x_name: username, "x name": sub, x-empty: "" }
      tokenSources: [{ header: "a b" }, { cookie: "a=b" }, { query: "a&b" }]
    `,
    [
      'c.yaml:2:11: identity.prefix: expected a header name without spaces or underscores, got "X_Id"',
      'c.yaml:3:14: identity.headers.x_name: expected a header name without spaces or underscores, got "x_name"',
      'c.yaml:3:32: identity.headers["x name"]: expected a header name without spaces or underscores, got "x name"',
      'c.yaml:3:56: identity.headers.x-empty: expected a text that is not empty',
      'c.yaml:4:26: tokenSources[0].header: expected a header name without spaces or underscores, got "a b"',
      'c.yaml:4:45: tokenSources[1].cookie: expected a cookie name, got "a=b"',
      'c.yaml:4:63: tokenSources[2].query: expected a query parameter name, got "a&b"',
    ],
  ],
  [
    'credentials to sign with',
    `
      upstreams:
        board:
          url: http://board
          sign:
            credentials: { identityPol: main }
        other:
          url: http://other
          sign: { credentials: { identityPool: mian }, roles: [{ when: { claims: { a: "{b}" } }, roleArn: x }] }
    `,
    [
      'c.yaml:5:22: upstreams.board.sign.credentials.identityPol: unknown key, did you mean "identityPool"?',
      'c.yaml:8:101: upstreams.other.sign.roles[0].roleArn: expected the ARN of an IAM role, got "x"',
    ],
  ],
];

describe('a file with keys that are wrong, missing or misplaced', () => {
  it.each(CASES)('%s', (_, yaml, lines) => {
    expect(problemsIn(yaml)).toEqual(lines);
  });
});
