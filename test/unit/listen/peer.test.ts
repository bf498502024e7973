import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createPeerReader, createTrust, plainAddress } from '../../../src/listen/peer.ts';

describe('createTrust', () => {
  it.each([
    [['10.0.0.0/8'], '10.1.2.3', true],
    [['10.0.0.0/8'], '11.0.0.0', false],
    [['10.0.0.1'], '10.0.0.1', true],
    [['10.0.0.1'], '10.0.0.2', false],
    [['192.168.1.128/25'], '192.168.1.127', false],
    [['192.168.1.128/25'], '192.168.1.128', true],
    [['0.0.0.0/0'], '203.0.113.7', true],
    [['0.0.0.0/0'], '2001:db8::1', false],
    [['10.0.0.0/8'], '::ffff:10.1.2.3', true],
    [['10.0.0.0/8'], '::ffff:a01:203', true],
    [['::ffff:10.0.0.0/104'], '10.1.2.3', true],
    [['2001:db8::/32'], '2001:db8:1::1', true],
    [['2001:db8::/32'], '2001:db9::1', false],
    [['::1'], '::1', true],
    [['::1'], '127.0.0.1', false],
    [['fe80::/10'], 'fe80::1%eth0', true],
    [['::/0'], '2001:db8::1', true],
    [['10.0.0.0/8', '2001:db8::/32'], '2001:db8::2', true],
    [[], '127.0.0.1', false],
    [['10.0.0.0/8'], '', false],
    [['10.0.0.0/8'], 'nonsense', false],
  ])('%j and %s: %s', (trustedProxies, address, trusted) => {
    expect(createTrust(trustedProxies)(address)).toBe(trusted);
  });
});

describe('createPeerReader', () => {
  const socket = (remoteAddress?: string): Socket => ({ remoteAddress }) as Socket;

  it.each([
    ['10.1.2.3', { address: '10.1.2.3', trusted: true }],
    ['::ffff:10.1.2.3', { address: '10.1.2.3', trusted: true }],
    ['::1', { address: '::1', trusted: false }],
    [undefined, { address: '', trusted: false }],
  ])('%s', (address, peer) => {
    expect(createPeerReader(createTrust(['10.0.0.0/8']))(socket(address))).toEqual(peer);
  });

  it('reads a socket once', () => {
    const readPeer = createPeerReader(createTrust([]));
    const known = socket('10.0.0.1');
    expect(readPeer(known)).toBe(readPeer(known));
  });
});

describe('plainAddress', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['::ffff:127.0.0.1', '127.0.0.1'],
    ['::1', '::1'],
    ['::ffff:0:127.0.0.1', '0:127.0.0.1'],
    ['', ''],
  ])('%s is %s', (address, plain) => {
    expect(plainAddress(address)).toBe(plain);
  });
});
