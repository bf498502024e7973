import { describe, expect, it } from 'vitest';
import type { Inbound } from '../../../src/core/inbound.ts';
import { addForwarded } from '../../../src/prepare/forwarded.ts';
import { inbound } from '../../support/inbound.ts';

function made(changes: Partial<Inbound>, sent: readonly string[] = []): string[] {
  const headers: string[] = [];
  addForwarded(headers, inbound(changes), sent);
  return headers;
}

const SENT = [
  'x-forwarded-for',
  '203.0.113.7',
  'x-forwarded-proto',
  'https',
  'x-forwarded-host',
  'shop.example.com',
  'x-forwarded-port',
  '443',
  'forwarded',
  'for=203.0.113.7',
  'x-real-ip',
  '203.0.113.7',
];

describe('from a stranger', () => {
  it('they are made anew, and what was sent is gone', () => {
    expect(made({ peer: '192.0.2.1', scheme: 'https', authority: 'API.example.com:8443' }, SENT)).toEqual([
      'x-forwarded-for',
      '192.0.2.1',
      'x-forwarded-proto',
      'https',
      'x-forwarded-host',
      'API.example.com:8443',
      'forwarded',
      'for=192.0.2.1;proto=https;host="API.example.com:8443"',
    ]);
  });

  it('an IPv6 address is quoted in Forwarded, as RFC 7239 section 6 asks', () => {
    const headers = made({ peer: '2001:db8::1' });
    expect(headers[1]).toBe('2001:db8::1');
    expect(headers.at(-1)).toBe('for="[2001:db8::1]";proto=http;host="api.example.com"');
  });

  it('without a host, none is named', () => {
    expect(made({ authority: '' })).toEqual([
      'x-forwarded-for',
      '192.0.2.1',
      'x-forwarded-proto',
      'http',
      'forwarded',
      'for=192.0.2.1;proto=http',
    ]);
  });

  it('that has left already, the address is unknown', () => {
    expect(made({ peer: '' }).at(-1)).toBe('for=unknown;proto=http;host="api.example.com"');
  });
});

describe('from a trusted peer', () => {
  it('what it said is kept, and it is appended', () => {
    expect(made({ peer: '10.0.0.9', trustedPeer: true }, SENT)).toEqual([
      'x-forwarded-port',
      '443',
      'x-real-ip',
      '203.0.113.7',
      'x-forwarded-for',
      '203.0.113.7, 10.0.0.9',
      'x-forwarded-proto',
      'https',
      'x-forwarded-host',
      'shop.example.com',
      'forwarded',
      'for=203.0.113.7, for=10.0.0.9;proto=http;host="api.example.com"',
    ]);
  });

  it('several lines keep their order', () => {
    const sent = [
      'x-forwarded-for',
      'a',
      'forwarded',
      'for=a',
      'x-forwarded-for',
      'b, c',
      'forwarded',
      'for=b',
    ];
    const headers = made({ peer: '10.0.0.9', trustedPeer: true }, sent);
    expect(headers[1]).toBe('a, b, c, 10.0.0.9');
    expect(headers.at(-1)).toBe('for=a, for=b, for=10.0.0.9;proto=http;host="api.example.com"');
  });

  it('that said nothing, it is as from a stranger', () => {
    expect(made({ trustedPeer: true })).toEqual(made({}));
  });
});
