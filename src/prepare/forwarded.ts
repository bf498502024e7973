import { isIP } from 'node:net';
import { type HeaderList, HTTP_TOKEN } from '../core/headers.ts';
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
  headers.push(
    'forwarded',
    forwarded === '' ? forwardedFrom(chain + inbound.peer, proto, host) : forwarded + hop(inbound),
  );
}

/** The same facts in the words of RFC 7239, where nobody before us has used them: the first hop is the client's. */
function forwardedFrom(chain: string, proto: string, host: string): string {
  const [client = '', ...proxies] = chain.split(',').map((address) => `for=${forwardedNode(address.trim())}`);
  return [
    `${client};proto=${quoted(proto)}${host === '' ? '' : `;host="${host.replace(/["\\]/g, '')}"`}`,
    ...proxies,
  ].join(', ');
}

/** Our own hop, behind those that a trusted peer has told. */
function hop({ peer, scheme, authority }: Inbound): string {
  return `for=${forwardedNode(peer)};proto=${scheme}${authority === '' ? '' : `;host="${authority}"`}`;
}

/** A token as it is, anything else as a quoted string (RFC 9110 section 5.6.4). */
function quoted(text: string): string {
  return HTTP_TOKEN.test(text) ? text : `"${text.replace(/["\\]/g, '')}"`;
}

/** An address as a node identifier (RFC 7239 section 6). */
function forwardedNode(address: string): string {
  if (isIP(address) === 6) return `"[${address}]"`;
  return isIP(address) === 4 ? address : address === '' ? 'unknown' : quoted(address);
}
