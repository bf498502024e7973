import { isIP } from 'node:net';
import { type Peer, plainAddress, type Trust } from './peer.ts';

/**
 * The client as trusted peers tell it, for the log: the right-most address in X-Forwarded-For that is not itself a
 * trusted proxy's. Each proxy appends whom it has heard from, so that what stands further left may be the client's own
 * invention. The peer, where nobody trusted speaks for another, or what it says is no address.
 *
 * @param headers in lower case, in wire order
 */
export function clientAddress(peer: Peer, headers: readonly string[], trusts: Trust): string {
  if (!peer.trusted) return peer.address;
  for (let i = headers.length - 2; i >= 0; i -= 2) {
    if (headers[i] !== 'x-forwarded-for') continue;
    const entries = (headers[i + 1] as string).split(',');
    for (let j = entries.length - 1; j >= 0; j -= 1) {
      const address = readEntry(entries[j] as string);
      if (address === null) return peer.address;
      if (!trusts(address)) return address;
    }
  }
  return peer.address;
}

/** An entry as proxies write it: an address, or one with a port, as Azure's gateways do. Null: it is none. */
function readEntry(entry: string): string | null {
  const text = entry.trim();
  const bracketed = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(text);
  const bare = bracketed?.[1] ?? text.replace(/^(\d+\.\d+\.\d+\.\d+):\d{1,5}$/, '$1');
  const address = plainAddress(bare.toLowerCase());
  return isIP(address) === 0 || address.includes('%') ? null : address;
}
