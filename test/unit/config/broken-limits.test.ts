import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configOf, problemsIn } from '../../support/config-text.ts';

const CASES: readonly (readonly [title: string, yaml: string, lines: readonly string[]])[] = [
  [
    'counts and times that are none',
    `
      server: { limits: { headerCount: 0, webSockets: 0 }, timeouts: { webSocketIdle: 10 } }
    `,
    [
      'c.yaml:1:34: server.limits.headerCount: expected at least 1, got 0',
      'c.yaml:1:49: server.limits.webSockets: expected at least 1, got 0',
      'c.yaml:1:81: server.timeouts.webSocketIdle: expected a duration such as 500ms, 15s, 5m, 1h or 1d, got 10',
    ],
  ],
  [
    "an upstream's limits",
    `
      upstreams:
        board: { url: http://board.internal, limits: { requests: 0, queue: -1, wait: 11s } }
    `,
    [
      'c.yaml:2:60: upstreams.board.limits.requests: expected at least 1, got 0',
      'c.yaml:2:70: upstreams.board.limits.queue: expected at least 0, got -1',
      'c.yaml:2:80: upstreams.board.limits.wait: expected a duration of at most 10s',
    ],
  ],
  [
    'a rate limit',
    `
      routes:
        - id: a
          match: { path: /a }
          allow: authenticated
          upstream: board
          rateLimit: { by: user, requests: 0, per: 500ms, burst: 0 }
    `,
    [
      'c.yaml:6:22: routes[0].rateLimit.by: expected "caller", "client" or "address", got "user"',
      'c.yaml:6:38: routes[0].rateLimit.requests: expected at least 1, got 0',
      'c.yaml:6:46: routes[0].rateLimit.per: expected a duration of at least 1s',
      'c.yaml:6:60: routes[0].rateLimit.burst: expected at least 1, got 0',
    ],
  ],
  [
    'a rate limit that says too little',
    `
      routes:
        - { id: a, match: { path: /a }, allow: authenticated, upstream: board, rateLimit: { by: caller } }
    `,
    [
      'c.yaml:2:74: routes[0].rateLimit.requests: is missing',
      'c.yaml:2:74: routes[0].rateLimit.per: is missing',
    ],
  ],
  [
    'callers on a public route',
    `
      routes:
        - { id: a, match: { path: /a }, allow: public, upstream: board, rateLimit: { by: caller, requests: 1, per: 1s } }
        - { id: b, match: { path: /b }, allow: public, upstream: board, rateLimit: { by: client, requests: 1, per: 1s } }
        - { id: c, match: { path: /c }, allow: public, upstream: board, rateLimit: { by: address, requests: 1, per: 1s } }
        - { id: d, match: { path: /d }, allow: optional, upstream: board, rateLimit: { by: caller, requests: 1, per: 1s } }
    `,
    [
      'c.yaml:2:84: routes[0].rateLimit.by: a public route looks at no token, so it knows no caller: count by address',
      'c.yaml:3:84: routes[1].rateLimit.by: a public route looks at no token, so it knows no client: count by address',
    ],
  ],
  [
    'a store that is none',
    `
      rateLimits: { store: redis }
    `,
    ['c.yaml:1:22: rateLimits.store: expected "memory" or { redis: ... }'],
  ],
  [
    'Redis, and nothing about its absence',
    `
      rateLimits:
        store: { redis: redis://cache }
    `,
    [
      'c.yaml:1:1: rateLimits.onStoreFailure: is missing: while Redis is away, are limited routes open (not limited) or closed (503)?',
    ],
  ],
  [
    'a URL that is not of Redis, and a wait for ever',
    `
      rateLimits: { store: { redis: "http://cache" }, onStoreFailure: opne, timeout: 6s, entries: 0 }
    `,
    [
      'c.yaml:1:31: rateLimits.store.redis: expected a URL that starts with redis:// or rediss://',
      'c.yaml:1:65: rateLimits.onStoreFailure: expected "open" or "closed", got "opne", did you mean "open"?',
      'c.yaml:1:80: rateLimits.timeout: expected a duration of at most 5s',
      'c.yaml:1:93: rateLimits.entries: expected at least 1, got 0',
    ],
  ],
];

describe('a file with limits that are wrong', () => {
  it.each(CASES)('%s', (_, yaml, lines) => {
    expect(problemsIn(yaml)).toEqual(lines);
  });
});

describe('limits', () => {
  it('are not there unless they are asked for, or harm nobody', () => {
    const { server, upstreams, rateLimits, routes } = configOf('');
    expect(server.limits).toMatchObject({ headerCount: 100, connections: 10_000, webSockets: null });
    expect(upstreams['board']?.limits).toEqual({ requests: null, queue: 100, wait: 1_000 });
    expect(rateLimits).toEqual({ store: 'memory', entries: 100_000, timeout: 100 });
    expect(routes[0]?.rateLimit).toBeUndefined();
  });

  it.each([
    ['redis://cache:6379', {}, 'redis://cache:6379'],
    ['${URL}', { URL: 'redis://:hunter2@cache' }, 'redis://:hunter2@cache'],
    ['${URL:-redis://cache}', {}, 'redis://cache'],
    ['redis://me:${PASSWORD}@cache', { PASSWORD: 'hunter2' }, 'redis://me:hunter2@cache'],
  ])(
    'a URL of Redis without a password, or with one from the environment: %s',
    (written, environment, url) => {
      const text = `rateLimits: { store: { redis: "${written}" }, onStoreFailure: open }`;
      expect(configOf(text, { environment }).rateLimits.store).toEqual({ redis: url });
    },
  );

  it('have the URL of Redis from a file where that is wanted', () => {
    const folder = mkdtempSync(join(tmpdir(), 'redis-url-'));
    writeFileSync(join(folder, 'url'), 'rediss://:secret@cache:6380/2\n');
    const text = 'rateLimits: { store: { redis: { file: url } }, onStoreFailure: open }';
    expect(configOf(text, {}, folder).rateLimits.store).toEqual({ redis: 'rediss://:secret@cache:6380/2' });
    rmSync(folder, { recursive: true });
  });
});
