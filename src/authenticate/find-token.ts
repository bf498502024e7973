import type { TokenSource } from '../config/schema/server.ts';
import { headerValue } from '../core/headers.ts';
import type { Inbound } from '../core/inbound.ts';
import { deny, type Refusal } from '../core/refusal.ts';

export interface FoundToken {
  readonly token: string;
  /** A browser attaches cookies by itself: the sender's origin must be checked. */
  readonly fromCookie: boolean;
}

/** Looks for the caller's token; undefined when no source has one. */
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

/** `Bearer x` (RFC 6750 section 2.1) or the bare token, as API Gateway takes it. */
function readAuthorization(inbound: Inbound): FoundToken | Refusal | undefined {
  const value = headerValue(inbound.headers, 'authorization');
  if (value === undefined || value === '') return undefined;
  const space = value.indexOf(' ');
  if (space < 0) return found(value);
  if (space !== 6 || value.slice(0, 6).toLowerCase() !== 'bearer') return deny('AUTHN_SCHEME_UNSUPPORTED');
  return found(value.slice(7).trim());
}

function readHeader(inbound: Inbound, name: string): FoundToken | Refusal | undefined {
  let result: FoundToken | undefined;
  for (let i = 0; i < inbound.headers.length; i += 2) {
    if (inbound.headers[i] !== name) continue;
    if (result !== undefined) return deny('AUTHN_TOKEN_DUPLICATE');
    const value = inbound.headers[i + 1] as string;
    result = found(/^bearer /i.test(value) ? value.slice(7).trim() : value);
  }
  return result;
}

function readCookie(inbound: Inbound, name: string): FoundToken | Refusal | undefined {
  let result: FoundToken | undefined;
  for (let i = 0; i < inbound.headers.length; i += 2) {
    if (inbound.headers[i] !== 'cookie') continue;
    for (const pair of (inbound.headers[i + 1] as string).split(';')) {
      const equals = pair.indexOf('=');
      if (equals < 0 || pair.slice(0, equals).trim() !== name) continue;
      if (result !== undefined) return deny('AUTHN_TOKEN_DUPLICATE');
      const value = pair.slice(equals + 1).trim();
      if (value !== '') result = { token: value, fromCookie: true };
    }
  }
  return result;
}

function readQuery(inbound: Inbound, name: string): FoundToken | Refusal | undefined {
  let result: FoundToken | undefined;
  for (const value of new URLSearchParams(inbound.query ?? '').getAll(name)) {
    if (result !== undefined) return deny('AUTHN_TOKEN_DUPLICATE');
    result = found(value);
  }
  return result;
}

/**
 * Browsers cannot set Authorization on a WebSocket, but can offer subprotocols: `new WebSocket(url, ['bearer', token])`.
 * The item after `bearer` is the token.
 */
function readWebSocketProtocol(inbound: Inbound): FoundToken | undefined {
  if (!inbound.upgrade) return undefined;
  const offered = headerValue(inbound.headers, 'sec-websocket-protocol');
  if (offered === undefined) return undefined;
  const items = offered.split(',').map((item) => item.trim());
  const marker = items.indexOf('bearer');
  return marker < 0 ? undefined : found(items[marker + 1] ?? '');
}

function found(token: string): FoundToken {
  return { token, fromCookie: false };
}
