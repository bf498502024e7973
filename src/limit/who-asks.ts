import { createHash } from 'node:crypto';
import type { Principal } from '../core/principal.ts';
import type { RateLimit } from '../core/rate-limit.ts';

/** Longer names are hashed: what one caller takes up must not depend on what is in its token. */
const LONGEST_NAME = 128;

/**
 * Names whoever a request is counted for. A user is one of its pool, an app client too: pool B's `alice` is not A's. Guests are
 * counted by their address; its name cannot be a caller's, since no pool's name begins with `@`.
 *
 * @param principal null for a guest
 * @param address of the client
 */
export function whoAsks(by: RateLimit['by'], principal: Principal | null, address: string): string {
  if (by === 'address' || principal === null) return `@${networkOf(address)}`;
  const name = `${principal.pool}/${by === 'caller' ? principal.subject : principal.clientId}`;
  return name.length > LONGEST_NAME ? hash(name) : name;
}

/**
 * An IPv4 address, or the /64 that an IPv6 address is in: a subscriber has all addresses of one (RFC 6177 section 2), and would
 * count as a new caller with each.
 */
function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const [text = ''] = address.split('%');
  const [head = '', tail] = text.split('::');
  const groups = splitGroups(head);
  if (tail !== undefined) {
    const rest = splitGroups(tail);
    // An IPv4 address at the end stands for two groups.
    const missing = 8 - groups.length - rest.length - (tail.includes('.') ? 1 : 0);
    for (let i = 0; i < missing; i++) groups.push('0');
    groups.push(...rest);
  }
  const network = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${network.join(':')}::/64`;
}

function splitGroups(text: string): string[] {
  return text === '' ? [] : text.split(':');
}

export function hash(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
