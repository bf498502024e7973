/**
 * Header fields in wire order as a flat list: name, value, name, value. Names are in lower case (RFC 9110 section 5.1:
 * field names are case-insensitive), values are latin-1 as node:http reads them.
 */
export type HeaderList = string[];

/** The first value under a name given in lower case, or undefined. */
export function headerValue(headers: readonly string[], name: string): string | undefined {
  for (let i = 0; i < headers.length; i += 2) if (headers[i] === name) return headers[i + 1];
  return undefined;
}
