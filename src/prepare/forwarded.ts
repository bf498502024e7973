import type { HeaderList } from '../core/headers.ts';
import type { Inbound } from '../core/inbound.ts';

/**
 * Adds who asked for what, by X-Forwarded-For, -Proto and -Host and by Forwarded (RFC 7239). From a trusted peer what it
 * said is kept and its address appended; from all others these headers are made anew, and what they sent is gone.
 *
 * @param sent the headers of this family that the client sent
 */
export function addForwarded(headers: HeaderList, inbound: Inbound, sent: readonly string[]): void {
  let chain = '';
  let proto: string = inbound.scheme;
  let host = inbound.authority;
  let forwarded = '';
  if (inbound.trustedPeer) {
    for (let i = 0; i < sent.length; i += 2) {
      const name = sent[i] as string;
      const value = sent[i + 1] as string;
      if (name === 'x-forwarded-for') chain = `${chain}${value}, `;
      else if (name === 'x-forwarded-proto') proto = value;
      else if (name === 'x-forwarded-host') host = value;
      else if (name === 'forwarded') forwarded = `${forwarded}${value}, `;
      else headers.push(name, value);
    }
  }
  headers.push('x-forwarded-for', chain + inbound.peer, 'x-forwarded-proto', proto);
  if (host !== '') headers.push('x-forwarded-host', host);
  const element = `for=${forwardedNode(inbound.peer)};proto=${inbound.scheme}`;
  headers.push(
    'forwarded',
    inbound.authority === '' ? forwarded + element : `${forwarded}${element};host="${inbound.authority}"`,
  );
}

/** An address as a node identifier (RFC 7239 section 6). */
function forwardedNode(address: string): string {
  return address.includes(':') ? `"[${address}]"` : address === '' ? 'unknown' : address;
}
