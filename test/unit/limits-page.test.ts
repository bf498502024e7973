import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ERRORS } from '../../src/core/errors.ts';
import { configOf } from '../support/config-text.ts';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const page = read('docs/limits.md');

/** The default that the table gives for a key. */
function defaultOf(key: string): string {
  const row = page.split('\n').find((line) => line.startsWith('|') && line.includes(`\`${key}\``));
  return row?.split('|')[3]?.trim() ?? 'no such row';
}

describe('docs/limits.md', () => {
  it('names every code of a limit, and no other', () => {
    const named = [...page.matchAll(/`((?:LIMIT|SIGN)_[A-Z_]+)`/g)].map(([, code]) => code);
    const codes = Object.keys(ERRORS).filter((code) => /^LIMIT_|^SIGN_BODY_TOO_LARGE$/.test(code));
    expect([...new Set(named)].sort()).toEqual(codes.sort());
  });

  it('names metrics that there are', () => {
    const metrics = read('docs/metrics.md');
    const named = [...page.matchAll(/`(cognito_auth_proxy_\w+)/g)].map(([, metric]) => metric);
    expect(named.filter((metric) => !metrics.includes(`\`${metric}\``))).toEqual([]);
  });

  it('has the defaults', () => {
    const { server, upstreams, rateLimits } = configOf('');
    const { limits } = server;
    const board = upstreams['board']?.limits;
    const inWords = (value: number): string => value.toLocaleString('en-US');
    expect({
      'server.limits.headerCount': defaultOf('server.limits.headerCount'),
      'server.limits.headerBytes': defaultOf('server.limits.headerBytes'),
      'server.limits.urlBytes': defaultOf('server.limits.urlBytes'),
      'server.limits.connections': defaultOf('server.limits.connections'),
      'upstreams.*.limits.queue': defaultOf('upstreams.*.limits.queue'),
      'rateLimits.entries': defaultOf('rateLimits.entries'),
    }).toEqual({
      'server.limits.headerCount': inWords(limits.headerCount),
      'server.limits.headerBytes': inWords(limits.headerBytes),
      'server.limits.urlBytes': inWords(limits.urlBytes),
      'server.limits.connections': inWords(limits.connections),
      'upstreams.*.limits.queue': inWords(board?.queue ?? 0),
      'rateLimits.entries': inWords(rateLimits.entries),
    });
    expect([limits.bodyBytes, board?.requests]).toEqual([null, null]);
    expect(defaultOf('server.timeouts.webSocketIdle')).toBe(
      `${(server.timeouts.webSocketIdle ?? 0) / 60_000} minutes`,
    );
    expect(defaultOf('upstreams.*.limits.wait')).toBe(`${(board?.wait ?? 0) / 1_000} second`);
    expect(defaultOf('server.limits.bufferBytes')).toBe(`${limits.bufferBytes / 1_048_576} MiB`);
    expect(defaultOf('server.limits.bufferTotalBytes')).toBe(`${limits.bufferTotalBytes / 1_048_576} MiB`);
  });
});
