import { describe, expect, it } from 'vitest';
import { clientAddress } from '../../../src/listen/client-address.ts';
import { createTrust } from '../../../src/listen/peer.ts';

const PROXIES = ['10.0.0.0/8', '192.0.2.7', '2001:db8:ffff::/48', '::1'];
const trusts = createTrust(PROXIES);

const clientOf = (peer: string, ...forwardedFor: string[]): string =>
  clientAddress(
    { address: peer, trusted: trusts(peer) },
    [
      'accept',
      '203.0.113.99',
      ...forwardedFor.flatMap((value) => ['x-forwarded-for', value]),
      'te',
      'trailers',
    ],
    trusts,
  );

describe('the client', () => {
  it.each([
    ['a peer that is not trusted, whatever it says', '203.0.113.5', ['198.51.100.1'], '203.0.113.5'],
    ['a trusted peer that says nothing', '10.0.0.1', [], '10.0.0.1'],
    ['whom a trusted peer names', '10.0.0.1', ['198.51.100.1'], '198.51.100.1'],
    [
      'the right-most, since all before it may be invented',
      '10.0.0.1',
      ['6.6.6.6, 198.51.100.1'],
      '198.51.100.1',
    ],
    [
      'the right-most that is no proxy',
      '10.0.0.1',
      ['6.6.6.6, 198.51.100.1, 10.9.9.9, 192.0.2.7'],
      '198.51.100.1',
    ],
    [
      'over several headers',
      '10.0.0.1',
      ['6.6.6.6, 198.51.100.1', '10.9.9.9', '192.0.2.7,10.1.1.1'],
      '198.51.100.1',
    ],
    ['the peer, where all are proxies', '10.0.0.1', ['10.3.3.3, 10.2.2.2'], '10.0.0.1'],
    ['of IPv6', '::1', ['2001:db8::1, 2001:DB8:FFFF::9'], '2001:db8::1'],
    ['in lower case', '10.0.0.1', ['2001:DB8::A'], '2001:db8::a'],
    ['without the port', '10.0.0.1', ['198.51.100.1:55123'], '198.51.100.1'],
    ['without brackets and port', '10.0.0.1', ['[2001:db8::1]:443'], '2001:db8::1'],
    ['without brackets', '10.0.0.1', ['[2001:db8::1]'], '2001:db8::1'],
    ['IPv4 written as IPv6', '10.0.0.1', ['::ffff:198.51.100.1'], '198.51.100.1'],
    ['a proxy written as IPv6', '10.0.0.1', ['198.51.100.1, ::ffff:10.0.0.9'], '198.51.100.1'],
    ['with blanks and tabs around', '10.0.0.1', [' \t198.51.100.1\t ,  10.0.0.2 '], '198.51.100.1'],
  ])('is %s', (_, peer, forwardedFor, expected) => {
    expect(clientOf(peer, ...forwardedFor)).toBe(expected);
  });

  it.each([
    '',
    ' ',
    ',',
    'unknown',
    '_hidden',
    'localhost',
    '198.51.100',
    '198.51.100.256',
    '198.51.100.1:port',
    '198.51.100.1 evil',
    '[198.51.100.1',
    '[]',
    'fe80::1%eth0',
    '1',
    '0x7f.1',
    '198.51.100.1\u0000',
    '"198.51.100.1"',
    'for=198.51.100.1',
    '<script>',
    '{"level":"error"}',
  ])('is the peer, where a proxy passes on what is no address: %j', (entry) => {
    expect(clientOf('10.0.0.1', entry)).toBe('10.0.0.1');
    expect(clientOf('10.0.0.1', `6.6.6.6, ${entry}`)).toBe('10.0.0.1');
    expect(clientOf('10.0.0.1', `${entry}, 198.51.100.1`)).toBe('198.51.100.1');
  });

  it('is found in a header of full size without asking about every entry', () => {
    let asked = 0;
    const counting = (address: string): boolean => {
      asked += 1;
      return trusts(address);
    };
    const long = `${'6.6.6.6, '.repeat(3_000)}198.51.100.1, 10.0.0.2`;
    const peer = { address: '10.0.0.1', trusted: true };
    expect(clientAddress(peer, ['x-forwarded-for', long], counting)).toBe('198.51.100.1');
    expect(asked).toBe(2);
  });
});
