import { describe, expect, it } from 'vitest';
import { whoAsks } from '../../../src/limit/who-asks.ts';
import { principal } from '../../support/principal.ts';

const alice = principal({ pool: 'main', subject: 'sub-a', clientId: 'app' });

describe('who asks', () => {
  it.each([
    ['caller', 'main/sub-a'],
    ['client', 'main/app'],
    ['address', '@192.0.2.1'],
  ] as const)('by %s', (by, name) => {
    expect(whoAsks(by, alice, '192.0.2.1')).toBe(name);
  });

  it.each(['caller', 'client'] as const)('a guest, by %s, is its address', (by) => {
    expect(whoAsks(by, null, '192.0.2.1')).toBe('@192.0.2.1');
  });

  it('tells users of one name in two pools apart', () => {
    expect(whoAsks('caller', { ...alice, pool: 'other' }, '')).toBe('other/sub-a');
  });

  it('cannot be made ambiguous by what a token says', () => {
    const names = [
      whoAsks('caller', principal({ pool: 'a', subject: 'b/c' }), ''),
      whoAsks('caller', principal({ pool: 'a.b', subject: 'c' }), ''),
      whoAsks('caller', principal({ pool: 'a', subject: '@192.0.2.1' }), ''),
      whoAsks('caller', null, '192.0.2.1'),
    ];
    expect(new Set(names).size).toBe(names.length);
  });

  it('is short, whatever is in the token', () => {
    const long = 'x'.repeat(10_000);
    const names = [long, `${long}y`].map((subject) => whoAsks('caller', principal({ subject }), ''));
    expect(names.map((name) => name.length)).toEqual([43, 43]);
    expect(names[0]).not.toBe(names[1]);
  });

  it.each([
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:DB8:0:0:ffff:ffff:ffff:ffff', '2001:db8:0:0::/64'],
    ['2001:db8:0:1::', '2001:db8:0:1::/64'],
    ['2001:0db8:00a0:0001:1:2:3:4', '2001:db8:a0:1::/64'],
    ['::1', '0:0:0:0::/64'],
    ['1:2:3::', '1:2:3:0::/64'],
    ['1::8', '1:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
    ['1:2:3:4:5:6:192.0.2.1', '1:2:3:4::/64'],
  ])('%s is in %s', (address, network) => {
    expect(whoAsks('address', null, address)).toBe(`@${network}`);
  });
});
