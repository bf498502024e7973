import { describe, expect, it } from 'vitest';
import { problemsIn } from '../../support/config-text.ts';

const CASES: readonly (readonly [title: string, yaml: string, lines: readonly string[]])[] = [
  [
    'both servers on one port',
    `
      server: { listen: 0.0.0.0:9090 }
    `,
    ['c.yaml:1:19: server.listen: port 9090 is taken by admin.listen'],
  ],
  [
    'token sources that cannot be',
    `
      tokenSources: [{ header: authorization }, { header: Host }, { cookie: a }, { cookie: a }]
    `,
    [
      'c.yaml:1:26: tokenSources[0].header: authorization cannot be a source of its own: write authorization, without header',
      'c.yaml:1:53: tokenSources[1].header: host cannot be a source of its own',
      'c.yaml:1:76: tokenSources[3]: this source is there twice',
    ],
  ],
  [
    'identity headers',
    `
      identity:
        prefix: x-
        headers:
          Host: sub
          x-user: sub
          X-User: username
          X-Shadow-Refusal: sub
    `,
    [
      'c.yaml:2:11: identity.prefix: would remove the header x-forwarded-for from every request',
      'c.yaml:4:5: identity.headers.Host: host cannot carry a claim: it means something else',
      'c.yaml:6:5: identity.headers.X-User: this header is there twice: case makes no difference',
      'c.yaml:7:5: identity.headers.X-Shadow-Refusal: x-shadow-refusal cannot carry a claim: it means something else',
    ],
  ],
  [
    'http where it is not safe',
    `
      userPools:
        main: { userPoolId: us-east-1_Abc, clientIds: null, issuer: "http://127.0.0.1:9229/x" }
        other: { userPoolId: us-east-1_Def, clientIds: null, keys: { url: "http://keys.internal" } }
      identityPools:
        a:
          identityPoolId: us-east-1:11111111-2222-3333-4444-555555555555
          userPool: main
          endpoint: http://127.0.0.1:4566
          stsEndpoint: http://sts.internal
    `,
    [
      'c.yaml:2:63: userPools.main.issuer: expected an https URL: http is accepted in dev only',
      'c.yaml:3:69: userPools.other.keys.url: expected an https URL: http is accepted in dev only',
      'c.yaml:9:18: identityPools.a.stsEndpoint: expected an https URL: http is accepted on loopback addresses and in dev only',
    ],
  ],
  [
    'any origin with credentials',
    `
      cors: { origins: ["*"], credentials: true }
      routes:
        - { id: a, match: { path: /a }, allow: public, upstream: board, cors: { origins: [https://a, "*"], credentials: true } }
        - { id: b, match: { path: /b }, allow: public, upstream: board, cors: any }
    `,
    [
      'c.yaml:1:18: cors.origins: "*" cannot stand beside credentials: name the origins',
      'c.yaml:3:84: routes[0].cors.origins: "*" cannot stand beside credentials: name the origins',
      'c.yaml:4:73: routes[1].cors: expected "upstream" or a mapping, got "any"',
    ],
  ],
  [
    'TLS for the proxy',
    `
      server:
        tls: { cert: x, key: "\${OTHER}" }
    `,
    [
      'c.yaml:2:16: server.tls.cert: expected a certificate chain in PEM',
      'c.yaml:2:24: server.tls.key: expected a private key in PEM, without a passphrase',
    ],
  ],
  [
    'secrets that are written down',
    `
      server: { tls: { cert: { file: absent }, key: hunter2 } }
      upstreams:
        board: { url: https://board, tls: { cert: a certificate, key: "\${KEY:-hunter2}" } }
        files:
          url: https://files.s3.us-east-1.amazonaws.com
          sign:
            credentials:
              static: { accessKeyId: AKIDEXAMPLE, secretAccessKey: "$\${OTHER}", sessionToken: "a\${ABSENT:-b}c" }
      rateLimits: { store: { redis: "redis://:hunter2@cache" }, onStoreFailure: open }
    `,
    [
      'c.yaml:1:24: server.tls.cert: the file /etc/proxy/absent cannot be read: there is no such file',
      'c.yaml:1:47: server.tls.key: expected ${NAME} without a default, or { file: path }: a secret must not be written here',
      'c.yaml:3:45: upstreams.board.tls.cert: expected a certificate chain in PEM',
      'c.yaml:3:65: upstreams.board.tls.key: expected ${NAME} without a default, or { file: path }: a secret must not be written here',
      'c.yaml:8:62: upstreams.files.sign.credentials.static.secretAccessKey: expected ${NAME} without a default, or { file: path }: a secret must not be written here',
      'c.yaml:8:89: upstreams.files.sign.credentials.static.sessionToken: expected ${NAME} without a default, or { file: path }: a secret must not be written here',
      'c.yaml:9:31: rateLimits.store.redis: expected ${NAME} in place of the password, or { file: path }: a secret must not be written here',
    ],
  ],
  [
    'TLS for an upstream',
    `
      upstreams:
        board: { url: https://board, tls: { ca: x, cert: y } }
        plain: { url: http://plain, tls: {} }
    `,
    [
      'c.yaml:2:32: upstreams.board.tls.key: is missing: a client certificate needs both cert and key',
      'c.yaml:2:43: upstreams.board.tls.ca: expected certificates in PEM',
      'c.yaml:3:36: upstreams.plain.tls: has no effect: the upstream is not reached by https',
    ],
  ],
  [
    'secrets are not repeated',
    `
      server:
        tls: { cert: 12345, key: { fil: hunter2 } }
      upstreams:
        board:
          url: http://board
          tls: { key: [hunter2] }
    `,
    [
      'c.yaml:2:16: server.tls.cert: expected text or { file: ... }',
      'c.yaml:2:30: server.tls.key.fil: unknown key, did you mean "file"?',
      'c.yaml:6:17: upstreams.board.tls.key: expected text or { file: ... }, got a list',
    ],
  ],
  [
    'a secret file that is not there',
    `
      server:
        tls:
          cert: { file: server.crt }
          key: { file: /etc/no/such/key }
    `,
    [
      'c.yaml:3:11: server.tls.cert: the file /etc/proxy/server.crt cannot be read: there is no such file',
      'c.yaml:4:10: server.tls.key: the file /etc/no/such/key cannot be read: there is no such file',
    ],
  ],
];

describe('a file that would open a hole', () => {
  it.each(CASES)('%s', (_, yaml, lines) => {
    expect(problemsIn(yaml, { environment: { OTHER: 'y' } })).toEqual(lines);
  });
});
