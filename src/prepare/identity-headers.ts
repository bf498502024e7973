import type { HeaderList } from '../core/headers.ts';
import { claimOf, type Principal } from '../core/principal.ts';

/**
 * Makes the headers that tell the upstream who the caller is. They are the same for every request with one token, so
 * they are made once per principal and forgotten with it.
 *
 * @param mapping header name to claim name
 */
export function createIdentityHeaders(
  mapping: Readonly<Record<string, string>>,
): (principal: Principal) => readonly string[] {
  const remembered = new WeakMap<Principal, readonly string[]>();
  const entries = Object.entries(mapping);
  return (principal) => {
    const known = remembered.get(principal);
    if (known !== undefined) return known;
    const headers: HeaderList = [];
    for (const [name, claim] of entries) {
      const value = headerText(claimOf(principal, claim));
      if (value !== '') headers.push(name, value);
    }
    remembered.set(principal, headers);
    return headers;
  };
}

/**
 * A claim as a header value: text with everything but printable ASCII percent-encoded as UTF-8, and the percent sign
 * itself, so that it decodes to what it was; lists joined by commas, with the commas inside members encoded.
 */
export function headerText(claim: unknown): string {
  if (claim === undefined || claim === null) return '';
  if (Array.isArray(claim)) {
    return claim.map((member) => encodeText(textOf(member)).replaceAll(',', '%2C')).join(',');
  }
  return encodeText(textOf(claim));
}

function textOf(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function encodeText(text: string): string {
  // Leading and trailing spaces would be lost as optional white space (RFC 9110 section 5.5).
  if (/^[!-$&-~](?:[ -$&-~]*[!-$&-~])?$/.test(text)) return text;
  return text.toWellFormed().replace(/[^ -$&-~]|^ | $/gu, (character) => encodeURIComponent(character));
}
