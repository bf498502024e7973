import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createPeerReader, createTrust, plainAddress } from '../../../src/listen/peer.ts';

describe('trust', () => {
  it.each([
    ['10.0.0.0/8', '10.255.0.1', true],
    ['10.0.0.0/8', '11.0.0.1', false],
    ['192.0.2.7', '192.0.2.7', true],
    ['192.0.2.7', '192.0.2.8', false],
    ['0.0.0.0/0', '203.0.113.1', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['2001:db8::/32', '2001:db8:1::1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['::1', '::1', true],
    ['::1', '127.0.0.1', false],
    ['10.0.0.0/8', '', false],
    ['10.0.0.0/8', 'no address', false],
  ])('in %s for %j: %s', (entry, address, trusted) => {
    expect(createTrust([entry])(address)).toBe(trusted);
    expect(createTrust(['198.51.100.0/24', entry])(address)).toBe(trusted);
  });

  it('is in nobody where nobody is named', () => {
    expect(createTrust([])('127.0.0.1')).toBe(false);
  });
});

describe('a peer', () => {
  const socketFrom = (remoteAddress: string | undefined): Socket =>
    Object.defineProperty(new Socket(), 'remoteAddress', { value: remoteAddress });
  const readPeer = createPeerReader(createTrust(['10.0.0.0/8']));

  it.each([
    ['10.0.0.1', { address: '10.0.0.1', trusted: true }],
    ['::ffff:10.0.0.1', { address: '10.0.0.1', trusted: true }],
    ['203.0.113.1', { address: '203.0.113.1', trusted: false }],
    ['2001:db8::1', { address: '2001:db8::1', trusted: false }],
    [undefined, { address: '', trusted: false }],
  ])('at %s', (address, peer) => {
    expect(readPeer(socketFrom(address))).toEqual(peer);
  });

  it('is read once per connection, for a closed socket has forgotten it', () => {
    let remoteAddress: string | undefined = '10.0.0.1';
    const socket = Object.defineProperty(new Socket(), 'remoteAddress', { get: () => remoteAddress });
    const first = readPeer(socket);
    remoteAddress = undefined;
    expect(readPeer(socket)).toBe(first);
    expect(readPeer(socketFrom('10.0.0.1'))).not.toBe(first);
  });
});

it.each([
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::ffff:c000:201', '::ffff:c000:201'],
  ['2001:db8::1', '2001:db8::1'],
  ['192.0.2.1', '192.0.2.1'],
  ['', ''],
])('%s is shown as %s', (address, plain) => {
  expect(plainAddress(address)).toBe(plain);
});
