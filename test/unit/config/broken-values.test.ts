import { describe, expect, it } from 'vitest';
import { problemsIn } from '../../support/config-text.ts';

const CASES: readonly (readonly [title: string, yaml: string, lines: readonly string[]])[] = [
  [
    'an all-digit client without quotes',
    `
      userPools:
        main: { userPoolId: us-east-1_Abc, clientIds: [12345] }
    `,
    ['c.yaml:2:50: userPools.main.clientIds[0]: expected text in quotes, got 12345'],
  ],
  [
    'a user pool id of the wrong form',
    `
      userPools:
        main: { userPoolId: abc, clientIds: null }
    `,
    [
      'c.yaml:2:23: userPools.main.userPoolId: expected a user pool id such as us-east-1_AbCdEf123, got "abc"',
    ],
  ],
  [
    'kinds of token',
    `
      userPools:
        main: { userPoolId: us-east-1_Abc, clientIds: null, tokenUse: [acess], graceSeconds: 301 }
    `,
    [
      'c.yaml:2:66: userPools.main.tokenUse[0]: expected "access" or "id", got "acess", did you mean "access"?',
      'c.yaml:2:88: userPools.main.graceSeconds: expected at most 300, got 301',
    ],
  ],
  [
    'durations',
    `
      server:
        timeouts: { headers: 15, idle: 1 minute }
    `,
    [
      'c.yaml:2:24: server.timeouts.headers: expected a duration such as 500ms, 15s, 5m, 1h or 1d, got 15',
      'c.yaml:2:34: server.timeouts.idle: expected a duration such as 500ms, 15s, 5m, 1h or 1d, got "1 minute"',
    ],
  ],
  [
    'numbers',
    `
      server:
        workers: 0
        limits: { urlBytes: 1.5, bodyBytes: big }
    `,
    [
      'c.yaml:2:12: server.workers: expected at least 1, got 0',
      'c.yaml:3:23: server.limits.urlBytes: expected a whole number, got 1.5',
      'c.yaml:3:39: server.limits.bodyBytes: expected a whole number, got "big"',
    ],
  ],
  [
    'workers in words',
    `
      server: { workers: all }
    `,
    ['c.yaml:1:20: server.workers: expected "auto" or a whole number, got "all"'],
  ],
  [
    'listen addresses',
    `
      server: { listen: 8080 }
      admin: { listen: "0.0.0.0:99999" }
    `,
    [
      'c.yaml:1:19: server.listen: expected host:port, such as 0.0.0.0:8080, got 8080',
      'c.yaml:2:18: admin.listen: expected a port from 0 to 65535',
    ],
  ],
  [
    'trusted proxies',
    `
      server: { trustedProxies: [10.0.0.0/33] }
    `,
    [
      'c.yaml:1:28: server.trustedProxies[0]: expected an address or a CIDR such as 10.0.0.0/8, got "10.0.0.0/33"',
    ],
  ],
  [
    'a list where one value belongs, and the reverse',
    `
      routes:
        - id: a
          match: { path: /a, methods: GET }
          allow: public
          upstream: [board]
    `,
    [
      'c.yaml:3:33: routes[0].match.methods: expected a list, got "GET"',
      'c.yaml:5:15: routes[0].upstream: expected a name of letters, digits, ".", "_" and "-", got a list',
    ],
  ],
  [
    'true and false',
    `
      metrics: { routeHistograms: yes }
    `,
    ['c.yaml:1:29: metrics.routeHistograms: expected true or false, got "yes"'],
  ],
  [
    'choices',
    `
      log: { level: warning, subject: hash }
    `,
    [
      'c.yaml:1:15: log.level: expected "fatal", "error", "warn", "info", "debug" or "silent", got "warning", did you mean "warn"?',
      'c.yaml:1:33: log.subject: expected "plain" or "hashed", got "hash", did you mean "hashed"?',
    ],
  ],
  [
    'text where a mapping belongs',
    `
      admin: 127.0.0.1:9090
    `,
    ['c.yaml:1:8: admin: expected { listen: ... }, got "127.0.0.1:9090"'],
  ],
  [
    'null where it lifts nothing',
    `
      admin: null
    `,
    ['c.yaml:1:8: admin: expected { listen: ... }, got null'],
  ],
  [
    'allow misspelt',
    `
      routes:
        - { id: a, match: { path: /a }, allow: authenticate, upstream: board }
    `,
    [
      'c.yaml:2:42: routes[0].allow: expected "public", "optional", "authenticated" or a mapping, got "authenticate", did you mean "authenticated"?',
    ],
  ],
  [
    'allow as a list',
    `
      routes:
        - { id: a, match: { path: /a }, allow: [public], upstream: board }
    `,
    ['c.yaml:2:42: routes[0].allow: expected "public", "optional", "authenticated" or a mapping, got a list'],
  ],
  [
    'no conditions at all',
    `
      routes:
        - { id: a, match: { path: /a }, allow: {}, upstream: board }
        - { id: b, match: { path: /b }, allow: { claims: {} }, upstream: board }
        - { id: c, match: { path: /c }, allow: { groups: [] }, upstream: board }
    `,
    [
      'c.yaml:2:42: routes[0].allow: expected at least one condition',
      'c.yaml:3:52: routes[1].allow.claims: expected at least one claim',
      'c.yaml:4:52: routes[2].allow.groups: expected at least one entry',
    ],
  ],
  [
    'methods, hosts and permits',
    `
      routes:
        - id: a
          match: { path: /a, methods: [get, CONNECT], host: "https://example.com", permit: ["%2f", ".."] }
          allow: public
          upstream: board
    `,
    [
      'c.yaml:3:34: routes[0].match.methods[0]: expected a method in upper case, got "get"',
      'c.yaml:3:39: routes[0].match.methods[1]: CONNECT is never proxied',
      'c.yaml:3:55: routes[0].match.host: expected a host name without scheme, port or wildcard, got "https://example.com"',
      'c.yaml:3:87: routes[0].match.permit[0]: expected "%2F", "%25", "%23", "%3F", ";" or "//", got "%2f", did you mean "%2F"?',
      'c.yaml:3:94: routes[0].match.permit[1]: expected "%2F", "%25", "%23", "%3F", ";" or "//", got ".."',
    ],
  ],
  [
    'names',
    `
      userPools:
        "my pool": { userPoolId: us-east-1_Abc, clientIds: null }
      routes:
        - { id: a/b, match: { path: /a }, allow: public, upstream: board }
    `,
    [
      'c.yaml:2:3: userPools["my pool"]: expected a name of letters, digits, ".", "_" and "-", got "my pool"',
      'c.yaml:4:11: routes[0].id: expected a name of letters, digits, ".", "_" and "-", got "a/b"',
    ],
  ],
  [
    'URLs',
    `
      upstreams:
        board: { url: board.internal:3000 }
        a: { url: "http://user:hunter2@board" }
        b: { url: "http://board/?a=b" }
        c: { urls: ["http://board/api/", "http://board//api"] }
    `,
    [
      'c.yaml:2:17: upstreams.board.url: expected an absolute URL that starts with http:// or https://',
      'c.yaml:3:13: upstreams.a.url: expected a URL without a user name or password',
      'c.yaml:4:13: upstreams.b.url: expected a URL without a query or fragment',
      'c.yaml:5:36: upstreams.c.urls[1]: expected a path without empty segments',
    ],
  ],
  [
    'url and urls',
    `
      upstreams:
        board: { url: http://board, urls: [http://board] }
        other: { retries: 2 }
    `,
    [
      'c.yaml:2:10: upstreams.board: expected either url or urls',
      'c.yaml:3:10: upstreams.other: expected either url or urls',
    ],
  ],
];

describe('a file with wrong values', () => {
  it.each(CASES)('%s', (_, yaml, lines) => {
    expect(problemsIn(yaml)).toEqual(lines);
  });
});
