/**
 * Header fields in wire order as a flat list: name, value, name, value. Names are in lower case (RFC 9110 section 5.1:
 * field names are case-insensitive), values are latin-1 as node:http reads them.
 */
export type HeaderList = string[];

/** What names of headers, methods and the like are made of (RFC 9110 section 5.6.2). */
export const HTTP_TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/**
 * What a value may not have in it: all but tabs, visible characters and what was once Latin-1 (RFC 9110 section 5.5). Nor may it have
 * a character of more than eight bits, which would be cut to its lower eight when written: U+010A to a line break.
 */
export const NO_FIELD_VALUE = /[^\t\x20-\x7e\x80-\xff]/;

/** The first value under a name given in lower case, or undefined. */
export function headerValue(headers: readonly string[], name: string): string | undefined {
  for (let i = 0; i < headers.length; i += 2) if (headers[i] === name) return headers[i + 1];
  return undefined;
}
