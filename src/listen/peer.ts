import { BlockList, isIP, type Socket } from 'node:net';

/** The other end of a connection; made once per connection. */
export interface Peer {
  readonly address: string;
  /** Whether its X-Forwarded-* headers are believed. */
  readonly trusted: boolean;
}

/**
 * Reads who is at the other end of a socket.
 * @param trustedProxies addresses and CIDRs
 */
export function createPeerReader(trustedProxies: readonly string[]): (socket: Socket) => Peer {
  const trusted = new BlockList();
  for (const entry of trustedProxies) {
    const [address = '', prefix] = entry.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (prefix === undefined) trusted.addAddress(address, family);
    else trusted.addSubnet(address, Number(prefix), family);
  }
  const peers = new WeakMap<Socket, Peer>();
  return (socket) => {
    const known = peers.get(socket);
    if (known !== undefined) return known;
    const address = plainAddress(socket.remoteAddress ?? '');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    const peer: Peer = {
      address,
      trusted: trustedProxies.length > 0 && address !== '' && trusted.check(address, family),
    };
    peers.set(socket, peer);
    return peer;
  };
}

/** An IPv4 address that a dual-stack socket shows as IPv6 is shown as IPv4. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}
