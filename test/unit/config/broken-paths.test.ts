import { describe, expect, it } from 'vitest';
import { problemsIn } from '../../support/config-text.ts';

const CASES: readonly (readonly [title: string, yaml: string, lines: readonly string[]])[] = [
  [
    'routes that can never be told apart',
    `
      routes:
        - { id: a, match: { path: "/x/{id}", methods: [GET, POST] }, allow: public, upstream: board }
        - { id: b, match: { path: "/x/{name}", methods: [PUT, POST] }, allow: public, upstream: board }
        - { id: c, match: { path: "/caf%c3%a9" }, allow: public, upstream: board }
        - { id: d, match: { path: "/café" }, allow: public, upstream: board }
        - { id: e, match: { path: "/y", host: A.example.com }, allow: public, upstream: board }
        - { id: f, match: { path: "/y", host: a.example.com }, allow: public, upstream: board }
    `,
    [
      'c.yaml:3:21: routes[1].match: can never be told apart from route "a" (routes[0]): same host, same path, both for POST',
      'c.yaml:5:21: routes[3].match: can never be told apart from route "c" (routes[2]): same host, same path, both for any method',
      'c.yaml:7:21: routes[5].match: can never be told apart from route "e" (routes[4]): same host, same path, both for any method',
    ],
  ],
  [
    'path templates',
    `
      routes:
        - { id: a, match: { path: posts }, allow: public, upstream: board }
        - { id: b, match: { path: "/posts/{id}.json" }, allow: public, upstream: board }
        - { id: c, match: { path: "/{all+}/x" }, allow: public, upstream: board }
        - { id: d, match: { path: "/{x}/{x}" }, allow: public, upstream: board }
        - { id: e, match: { path: "/a/*" }, allow: public, upstream: board }
    `,
    [
      'c.yaml:2:29: routes[0].match.path: expected a path that starts with /, got "posts"',
      'c.yaml:3:29: routes[1].match.path: expected {name} or {name+} as a whole segment, got "{id}.json"',
      'c.yaml:4:29: routes[2].match.path: {name+} can only be the last segment',
      'c.yaml:5:29: routes[3].match.path: the parameter {x} is there twice',
      'c.yaml:6:29: routes[4].match.path: "*" is not a wildcard: write {name} for one segment, {name+} for the rest',
    ],
  ],
  [
    'paths that no request can have',
    `
      routes:
        - { id: a, match: { path: /a/../b }, allow: public, upstream: board }
        - { id: b, match: { path: /a//b }, allow: public, upstream: board }
        - { id: c, match: { path: /a%2fb }, allow: public, upstream: board }
        - { id: d, match: { path: "/a;b" }, allow: public, upstream: board }
        - { id: d2, match: { path: "/a%3Bb" }, allow: public, upstream: board }
        - { id: e, match: { path: "/a?b" }, allow: public, upstream: board }
        - { id: f, match: { path: "/a#b" }, allow: public, upstream: board }
        - { id: g, match: { path: "/a\\\\\\\\b" }, allow: public, upstream: board }
        - { id: h, match: { path: "/100%" }, allow: public, upstream: board }
        - { id: i, match: { path: "/%ff" }, allow: public, upstream: board }
        - { id: j, match: { path: "/%2e%2e/x" }, allow: public, upstream: board }
        - { id: k, match: { path: "/a%00" }, allow: public, upstream: board }
    `,
    [
      'c.yaml:2:29: routes[0].match.path: "." and ".." are refused as segments of a path',
      'c.yaml:3:29: routes[1].match.path: an empty segment ("//") is refused in requests unless match.permit names it',
      'c.yaml:4:29: routes[2].match.path: "%2F" is refused in requests unless match.permit names it',
      'c.yaml:5:29: routes[3].match.path: ";" is refused in requests unless match.permit names it',
      'c.yaml:6:30: routes[4].match.path: ";" is refused in requests unless match.permit names it',
      'c.yaml:7:29: routes[5].match.path: "?" is refused in every path',
      'c.yaml:8:29: routes[6].match.path: "#" is refused in every path',
      'c.yaml:9:29: routes[7].match.path: "\\\\" is refused in every path',
      'c.yaml:10:29: routes[8].match.path: "%" starts a percent-encoded byte; by itself it is "%25"',
      'c.yaml:11:29: routes[9].match.path: expected percent-encoded UTF-8',
      'c.yaml:12:29: routes[10].match.path: "." and ".." are refused as segments of a path',
      'c.yaml:13:29: routes[11].match.path: "%00" is refused in every path',
    ],
  ],
  [
    'prefixes to strip',
    `
      routes:
        - { id: a, match: { path: "/users/{id}" }, allow: public, upstream: board, rewrite: { stripPrefix: /use } }
        - { id: b, match: { path: "/a/{id}" }, allow: public, upstream: board, rewrite: { stripPrefix: "/a/{id}" } }
        - { id: c, match: { path: "/café/x" }, allow: public, upstream: board, rewrite: { stripPrefix: /café } }
        - { id: d, match: { path: "/b/x" }, allow: public, upstream: board, rewrite: { stripPrefix: /b/ } }
    `,
    [
      'c.yaml:2:102: routes[0].rewrite.stripPrefix: expected the first segments of /users/{id}, before any parameter',
      'c.yaml:3:98: routes[1].rewrite.stripPrefix: expected the first segments of /a/{id}, before any parameter',
      'c.yaml:4:98: routes[2].rewrite.stripPrefix: expected it spelt as in a request: /caf%C3%A9',
      'c.yaml:5:95: routes[3].rewrite.stripPrefix: expected a prefix such as /users, got "/b/"',
    ],
  ],
];

describe('a file with paths that cannot be matched or told apart', () => {
  it.each(CASES)('%s', (_, yaml, lines) => {
    expect(problemsIn(yaml)).toEqual(lines);
  });
});
