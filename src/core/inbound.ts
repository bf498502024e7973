import type { HeaderList } from './headers.ts';

/**
 * A request in its one canonical form: what is matched, judged, logged and sent. Nothing downstream looks at the raw
 * request again.
 */
export interface Inbound {
  readonly method: string;
  readonly scheme: 'http' | 'https';
  /** Host in lower case without port, for matching; empty for HTTP/1.0 without Host. */
  readonly host: string;
  /** The Host header as sent. */
  readonly authority: string;
  /** Canonical path: starts with a slash, unreserved characters decoded, hex digits in upper case. */
  readonly path: string;
  /** Which spellings the path contains that a route must permit by name: bits of {@link Irregularity}. */
  readonly irregular: number;
  /** Raw query without the question mark; null when there is none. */
  readonly query: string | null;
  /** End-to-end headers: hop-by-hop ones, those named in Connection, and names with an underscore are gone. */
  readonly headers: HeaderList;
  /** Declared body length in bytes; -1 for chunked, 0 for none. */
  readonly contentLength: number;
  /** The client asked for a switch to WebSocket (RFC 6455 section 4.1). */
  readonly upgrade: boolean;
  /** Address of the socket's other end. */
  readonly peer: string;
  /** Whether that peer may speak for others in X-Forwarded-* headers. */
  readonly trustedPeer: boolean;
}

/** Spellings that some software reads differently from other software. */
export const Irregularity = {
  encodedSlash: 1,
  encodedPercent: 2,
  encodedHash: 4,
  encodedQuestionMark: 8,
  semicolon: 16,
  emptySegment: 32,
} as const;
