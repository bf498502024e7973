import type { TokenSource } from '../config/schema/server.ts';
import { headerValue } from '../core/headers.ts';
import type { Inbound } from '../core/inbound.ts';
import { deny, type Refusal } from '../core/refusal.ts';

export interface FoundToken {
  readonly token: string;
  /** A browser attaches cookies by itself: the sender's origin must be checked. */
  readonly fromCookie: boolean;
}

/** Looks for the caller's token; undefined when no source has one. An empty value is none. */
export type FindToken = (inbound: Inbound) => FoundToken | Refusal | undefined;

/** Compiles the configured sources into one search. A token in two places at once is refused: which one is meant? */
export function createFindToken(sources: readonly TokenSource[]): FindToken {
  const readers = sources.map(createReader);
  const only = readers[0];
  if (readers.length === 1 && only !== undefined) return only;
  return (inbound) => {
    let found: FoundToken | undefined;
    for (const read of readers) {
      const result = read(inbound);
      if (result === undefined) continue;
      if ('code' in result) return result;
      if (found !== undefined) return deny('AUTHN_TOKEN_DUPLICATE');
      found = result;
    }
    return found;
  };
}

function createReader(source: TokenSource): FindToken {
  if (source === 'authorization') return readAuthorization;
  if (source === 'websocketProtocol') return readWebSocketProtocol;
  if ('header' in source) return (inbound) => readHeader(inbound, source.header);
  if ('cookie' in source) return (inbound) => readCookie(inbound, source.cookie);
  return (inbound) => readQuery(inbound, source.query);
}

/** `Bearer x` (RFC 6750 section 2.1) or the bare token, as API Gateway takes it. Two such headers are refused before. */
function readAuthorization(inbound: Inbound): FoundToken | Refusal | undefined {
  const value = headerValue(inbound.headers, 'authorization');
  if (value === undefined) return undefined;
  const token = withoutScheme(value);
  return token === null ? deny('AUTHN_SCHEME_UNSUPPORTED') : found(token);
}

/** The scheme is optional here too; what looks like another one is no token, and is refused as such. */
function readHeader(inbound: Inbound, name: string): FoundToken | Refusal | undefined {
  const value = theOne(valuesOf(inbound, name));
  return typeof value === 'string' ? found(withoutScheme(value) ?? value) : value;
}

function readCookie(inbound: Inbound, name: string): FoundToken | Refusal | undefined {
  const values = valuesOf(inbound, 'cookie')
    .flatMap((value) => value.split(';'))
    .flatMap((pair) => {
      const equals = pair.indexOf('=');
      return equals >= 0 && pair.slice(0, equals).trim() === name ? [pair.slice(equals + 1).trim()] : [];
    });
  const value = theOne(values);
  return typeof value === 'string' ? found(value, true) : value;
}

function readQuery(inbound: Inbound, name: string): FoundToken | Refusal | undefined {
  if (inbound.query === null) return undefined;
  const value = theOne(new URLSearchParams(inbound.query).getAll(name));
  return typeof value === 'string' ? found(value) : value;
}

/**
 * Browsers cannot set Authorization on a WebSocket, but can offer subprotocols: `new WebSocket(url, ['bearer', token])`.
 * The item after `bearer`, in the same header line, is the token.
 */
function readWebSocketProtocol(inbound: Inbound): FoundToken | Refusal | undefined {
  if (!inbound.upgrade) return undefined;
  const values = valuesOf(inbound, 'sec-websocket-protocol').flatMap((offered) => {
    const items = offered.split(',').map((item) => item.trim());
    return items.flatMap((item, i) => (item === 'bearer' ? [items[i + 1] ?? ''] : []));
  });
  const value = theOne(values);
  return typeof value === 'string' ? found(value) : value;
}

/** Null for another scheme than Bearer. */
function withoutScheme(value: string): string | null {
  const space = value.indexOf(' ');
  if (space < 0) return value;
  // RFC 9110 section 11.4: any number of spaces, and nothing but spaces.
  return value.slice(0, space).toLowerCase() === 'bearer' ? value.slice(space).replace(/^ +/, '') : null;
}

function valuesOf(inbound: Inbound, name: string): string[] {
  const values: string[] = [];
  for (let i = 0; i < inbound.headers.length; i += 2) {
    if (inbound.headers[i] === name) values.push(inbound.headers[i + 1] as string);
  }
  return values;
}

function theOne(values: readonly string[]): string | Refusal | undefined {
  return values.length > 1 ? deny('AUTHN_TOKEN_DUPLICATE') : values[0];
}

function found(token: string, fromCookie = false): FoundToken | undefined {
  return token === '' ? undefined : { token, fromCookie };
}
