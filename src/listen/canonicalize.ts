import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Stage } from '../core/exchange.ts';
import { type HeaderList, headerValue } from '../core/headers.ts';
import { deny, type Refusal } from '../core/refusal.ts';
import { canonicalizePath } from './canonical-path.ts';
import { clientAddress } from './client-address.ts';
import { createHeaderNames, HeaderKind } from './header-names.ts';
import { createPeerReader, createTrust } from './peer.ts';
import { isSaneRequestId, nameRequest } from './request-id.ts';
import { hostOf, parseRequestTarget } from './request-target.ts';

export interface CanonicalizeOptions {
  readonly scheme: 'http' | 'https';
  readonly trustedProxies: readonly string[];
  /** Bytes. */
  readonly headerBytes: number;
  /** Header fields. */
  readonly headerCount: number;
  /** Bytes. */
  readonly urlBytes: number;
}

const REMEMBERED_HOSTS = 256;
/** Longer than any host name with its port (RFC 1035 section 2.3.4). */
const LONGEST_REMEMBERED_HOST = 262;

/**
 * The first stage: one raw request becomes one canonical Inbound, or is refused because it could be read in more than
 * one way. What node's parser has let through is checked here; nothing later looks at the raw request.
 */
export function createCanonicalizeStage(options: CanonicalizeOptions): Stage {
  const readName = createHeaderNames();
  const trusts = createTrust(options.trustedProxies);
  const readPeer = createPeerReader(trusts);
  const readHost = rememberHosts();

  return {
    name: 'canonicalize',
    run(exchange) {
      const { request } = exchange;
      const { rawHeaders } = request;
      const rawTarget = request.url ?? '';

      let authority: string | undefined;
      let requestId: string | undefined;
      let authorizations = 0;
      let contentLength = 0;
      let encoding: string | undefined;
      let connection: string | undefined;
      let refusal: Refusal | undefined;
      let headerBytes = 0;
      const headers: HeaderList = [];

      for (let i = 0; i < rawHeaders.length; i += 2) {
        const rawName = rawHeaders[i] as string;
        const value = rawHeaders[i + 1] as string;
        headerBytes += rawName.length + value.length + 4;
        const { name, kind } = readName(rawName);
        switch (kind) {
          case HeaderKind.pass:
            headers.push(name, value);
            break;
          case HeaderKind.drop:
            break;
          case HeaderKind.host:
            if (authority !== undefined) refusal ??= deny('REQUEST_HOST_INVALID');
            authority = value;
            break;
          case HeaderKind.authorization:
            if (++authorizations > 1) refusal ??= deny('REQUEST_HEADER_DUPLICATE');
            headers.push(name, value);
            break;
          case HeaderKind.contentLength:
            contentLength = Number(value);
            break;
          case HeaderKind.transferEncoding:
            encoding = encoding === undefined ? value : `${encoding}, ${value}`;
            break;
          case HeaderKind.connection:
            connection = connection === undefined ? value : `${connection},${value}`;
            break;
          case HeaderKind.requestId:
            if (requestId === undefined && isSaneRequestId(value)) requestId = value;
            break;
          case HeaderKind.expect:
            if (value.toLowerCase() !== '100-continue') refusal ??= deny('REQUEST_EXPECTATION_FAILED');
            break;
          case HeaderKind.te:
            // Once, however often it is said.
            if (/(^|,)\s*trailers\s*($|[,;])/i.test(value) && headerValue(headers, 'te') === undefined)
              headers.push('te', 'trailers');
            break;
        }
      }

      // These come first, so that every refusal below tells them.
      nameRequest(exchange, requestId);
      const peer = readPeer(request.socket as Socket);
      exchange.client = clientAddress(peer, headers, trusts);

      if (rawTarget.length > options.urlBytes) return deny('LIMIT_URL');
      if (headerBytes > options.headerBytes) return deny('LIMIT_HEADERS');
      if (rawHeaders.length > 2 * options.headerCount) return deny('LIMIT_HEADER_COUNT');
      // Node's parser takes the numbers 0.9 and 2.0 for HTTP as well.
      if (request.httpVersionMajor !== 1) return deny('REQUEST_MALFORMED');
      if (refusal !== undefined) return refusal;
      if (request.method === 'CONNECT') return deny('REQUEST_METHOD_UNSUPPORTED');

      if (encoding !== undefined) {
        // Node lets through lists such as "gzip, chunked", and any coding before the last (RFC 9112 section 6.1).
        if (encoding.toLowerCase() !== 'chunked' || isHttp10(request)) return deny('REQUEST_FRAMING_INVALID');
        contentLength = -1;
      } else if (!Number.isSafeInteger(contentLength)) {
        return deny('REQUEST_FRAMING_INVALID');
      }
      // The bytes after an upgrade belong to the other protocol: a body would be read as such.
      if (exchange.tunnel !== null && contentLength !== 0) return deny('REQUEST_FRAMING_INVALID');

      if (authority === undefined && !isHttp10(request)) return deny('REQUEST_HOST_INVALID');
      const host = authority === undefined ? '' : readHost(authority);
      if (host === null) return deny('REQUEST_HOST_INVALID');

      const target = parseRequestTarget(rawTarget);
      if (target === null) return deny('REQUEST_TARGET_INVALID');
      if (target.authority !== null && target.authority !== authority?.toLowerCase()) {
        return deny('REQUEST_TARGET_INVALID');
      }
      const canonical = canonicalizePath(target.path);
      if (canonical === null) return deny('REQUEST_PATH_AMBIGUOUS');

      exchange.inbound = {
        method: request.method as string,
        scheme: options.scheme,
        host,
        authority: authority ?? '',
        path: canonical.path,
        irregular: canonical.irregular,
        query: target.query,
        headers: connection === undefined ? headers : withoutNamed(headers, connection),
        contentLength,
        upgrade: exchange.tunnel !== null,
        peer: peer.address,
        trustedPeer: peer.trusted,
      };
      return undefined;
    },
  };
}

function isHttp10(request: IncomingMessage): boolean {
  return request.httpVersionMajor === 1 && request.httpVersionMinor === 0;
}

/** Drops what Connection names (RFC 9110 section 7.6.1). The usual values name nothing that is still there. */
function withoutNamed(headers: HeaderList, connection: string): HeaderList {
  if (connection === 'keep-alive' || connection === 'close' || connection === 'Keep-Alive') return headers;
  const named = new Set(connection.split(',').map((token) => token.trim().toLowerCase()));
  // TE must be named in Connection, by its own definition; it is kept for its one value, `trailers`.
  named.delete('te');
  const kept: HeaderList = [];
  for (let i = 0; i < headers.length; i += 2) {
    if (!named.has(headers[i] as string)) kept.push(headers[i] as string, headers[i + 1] as string);
  }
  return kept;
}

function rememberHosts(): (authority: string) => string | null {
  const remembered = new Map<string, string | null>();
  return (authority) => {
    const known = remembered.get(authority);
    if (known !== undefined) return known;
    const host = hostOf(authority);
    if (remembered.size >= REMEMBERED_HOSTS) remembered.clear();
    if (authority.length <= LONGEST_REMEMBERED_HOST) remembered.set(authority, host);
    return host;
  };
}
