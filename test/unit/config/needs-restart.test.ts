import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { needsRestart } from '../../../src/config/needs-restart.ts';
import { KEY_VARIABLES, REFERRED_A, REFERRED_B } from '../../support/certificates.ts';
import { configOf as configOfText } from '../../support/config-text.ts';

const configOf = (text: string) => configOfText(text, { environment: KEY_VARIABLES });

const tls = (pair: object): string => `server: { tls: ${JSON.stringify(pair)} }`;

describe('what takes effect only after a restart', () => {
  it.each([
    ['server: { listen: "127.0.0.1:1" }', ['server.listen']],
    ['server: { workers: auto }', ['server.workers']],
    [
      'server: { limits: { headerBytes: 1000, headerCount: 10, urlBytes: 1000, connections: 7 } }',
      [
        'server.limits.headerBytes',
        'server.limits.headerCount',
        'server.limits.urlBytes',
        'server.limits.connections',
      ],
    ],
    ['server: { timeouts: { headers: 1s, idle: 1s } }', ['server.timeouts.headers', 'server.timeouts.idle']],
    ['admin: { listen: "127.0.0.1:1" }', ['admin.listen']],
    ['tokenCache: { entries: 1 }', ['tokenCache.entries']],
    ['rateLimits: { entries: 1 }', ['rateLimits.entries']],
    ['rateLimits: { store: { redis: "redis://cache" }, onStoreFailure: open }', ['rateLimits.store']],
    ['metrics: { routeHistograms: true }', ['metrics.routeHistograms']],
    [tls(REFERRED_A), ['server.tls']],
  ])('%s', (text, keys) => {
    expect(needsRestart(configOf(''), configOf(text))).toEqual(keys);
    expect(needsRestart(configOf(text), configOf(''))).toEqual(keys);
  });

  it.each([
    [
      'server: { trustedProxies: [10.0.0.0/8], timeouts: { bodyIdle: 1s }, shutdown: { drain: 1s }, limits: { bodyBytes: 1, webSockets: 1 } }',
    ],
    ['log: { level: debug }'],
    ['userPools: { main: { userPoolId: us-east-1_Other, clientIds: null } }'],
    ['cors: upstream'],
    ['upstreams: { board: { url: "http://board", limits: { requests: 1 } } }'],
    ['rateLimits: { timeout: 1s, onStoreFailure: open }'],
  ])('not %s', (text) => {
    expect(needsRestart(configOf(''), configOf(text))).toEqual([]);
  });

  it('not a renewed certificate', () => {
    expect(needsRestart(configOf(tls(REFERRED_A)), configOf(tls(REFERRED_B)))).toEqual([]);
  });

  it('is what the documentation says', () => {
    const page = readFileSync(join(import.meta.dirname, '../../../docs/configuration.md'), 'utf8');
    const paragraph = /These take effect after a restart only[\s\S]*?\n\n/.exec(page)?.[0] ?? '';
    const named = [...paragraph.matchAll(/`([\w.]+)`/g)].map(([, key]) => key);
    const all = configOf(
      `
      server:
        listen: "127.0.0.1:1"
        workers: 2
        limits: { headerBytes: 1000, headerCount: 10, urlBytes: 1000, connections: 7 }
        timeouts: { headers: 1s, idle: 1s }
        tls: ${JSON.stringify(REFERRED_A)}
      admin: { listen: "127.0.0.1:2" }
      tokenCache: { entries: 1 }
      rateLimits: { store: { redis: "redis://cache" }, onStoreFailure: open, entries: 1 }
      metrics: { routeHistograms: true }
      `,
    );
    expect(named.toSorted()).toEqual(needsRestart(configOf(''), all).toSorted());
  });
});
