import { describe, expect, it } from 'vitest';
import { createTokenCache } from '../../../src/authenticate/token-cache.ts';
import { principal } from '../../support/principal.ts';

const NOW = 1_000_000_000_000;
const of = (pool: string, expiresAt = NOW / 1000 + 60) => principal({ pool, expiresAt });

describe('the token cache', () => {
  it('gives back the principal of exactly this token', () => {
    const cache = createTokenCache(10);
    const alice = of('main');
    cache.set('a.b.c', alice, 'kid');
    expect(cache.get('a.b.c', NOW)).toBe(alice);
    expect(cache.get('a.b.C', NOW)).toBeUndefined();
    expect(cache.get('a.b.c ', NOW)).toBeUndefined();
    expect(cache.get('__proto__', NOW)).toBeUndefined();
    expect(cache.size).toBe(1);
  });

  it.each([
    [-1, true],
    [0, false],
    [1, false],
  ])('%i ms from its end a token is believed: %s', (offset, believed) => {
    const cache = createTokenCache(10);
    const expiresAt = NOW / 1000 + 60;
    cache.set('token', of('main', expiresAt), 'kid');
    expect(cache.get('token', expiresAt * 1000 + offset) !== undefined).toBe(believed);
    expect(cache.size).toBe(believed ? 1 : 0);
  });

  it('keeps so many and no more, the latest used ones', () => {
    const cache = createTokenCache(3);
    for (const token of ['a', 'b', 'c']) cache.set(token, of('main'), 'kid');
    cache.get('a', NOW);
    for (let i = 0; i < 100; i++) {
      cache.set(`new ${i}`, of('main'), 'kid');
      cache.get('a', NOW);
      expect(cache.size).toBe(3);
    }
    expect(cache.get('a', NOW)).toBeDefined();
    expect(cache.get('b', NOW)).toBeUndefined();
  });

  it('forgets what a removed key has verified, in its pool only', () => {
    const cache = createTokenCache(10);
    cache.set('ours, old key', of('ours'), 'old');
    cache.set('ours, new key', of('ours'), 'new');
    cache.set('theirs, old key', of('theirs'), 'old');
    cache.evict('ours', new Set(['old']));
    expect(cache.get('ours, old key', NOW)).toBeUndefined();
    expect(cache.get('ours, new key', NOW)).toBeDefined();
    expect(cache.get('theirs, old key', NOW)).toBeDefined();
  });

  it('forgets a whole pool', () => {
    const cache = createTokenCache(10);
    cache.set('1', of('ours'), 'old');
    cache.set('2', of('ours'), 'new');
    cache.set('3', of('theirs'), 'old');
    cache.evict('ours', null);
    expect(cache.size).toBe(1);
    expect(cache.get('3', NOW)).toBeDefined();
  });
});
