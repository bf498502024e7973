import { BlockList, isIP, type Socket } from 'node:net';

/** The other end of a connection; made once per connection. */
export interface Peer {
  readonly address: string;
  /** Whether its X-Forwarded-* headers are believed. */
  readonly trusted: boolean;
}

/** Who is trusted to speak for others. */
export type Trust = (address: string) => boolean;

/** @param trustedProxies addresses and CIDRs */
export function createTrust(trustedProxies: readonly string[]): Trust {
  if (trustedProxies.length === 0) return () => false;
  const trusted = new BlockList();
  for (const entry of trustedProxies) {
    const [address = '', prefix] = entry.split('/');
    if (prefix === undefined) trusted.addAddress(address, familyOf(address));
    else trusted.addSubnet(address, Number(prefix), familyOf(address));
  }
  return (address) => address !== '' && trusted.check(address, familyOf(address));
}

/** Reads who is at the other end of a socket. */
export function createPeerReader(trusts: Trust): (socket: Socket) => Peer {
  const peers = new WeakMap<Socket, Peer>();
  return (socket) => {
    const known = peers.get(socket);
    if (known !== undefined) return known;
    const address = plainAddress(socket.remoteAddress ?? '');
    const peer: Peer = { address, trusted: trusts(address) };
    peers.set(socket, peer);
    return peer;
  };
}

/** An IPv4 address that a dual-stack socket shows as IPv6 is shown as IPv4. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}
