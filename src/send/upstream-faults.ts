import { errors } from 'undici';
import type { ErrorCode } from '../core/errors.ts';

/** A failure that we see before the HTTP client does, or instead of it. */
export class UpstreamFault extends Error {
  override readonly name = 'UpstreamFault';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** The upstream was too slow: to take the connection, to answer, or to go on. */
const TIMED_OUT: ReadonlySet<string> = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'ETIMEDOUT',
]);

/** A connection that was there is gone. */
const RESET: ReadonlySet<string> = new Set([
  'UND_ERR_SOCKET',
  'UND_ERR_INFO',
  'UND_ERR_ABORTED',
  'UND_ERR_CLOSED',
  'UND_ERR_DESTROYED',
  'ECONNRESET',
  'ERR_UPSTREAM_RESET',
  'EPIPE',
]);

/**
 * What came is no answer that can be handed on: node's parser refuses it (HPE_), undici does or trips over it, or node:http
 * will not write it.
 */
const INVALID =
  /^(HPE_|UND_ERR_RES_|UND_ERR_HEADERS_OVERFLOW$|ERR_ASSERTION$|ERR_INVALID_CHAR$|ERR_INVALID_HTTP_TOKEN$|ERR_HTTP_(INVALID|TRAILER)_)/;

/** What undici calls an interim answer it cannot take, and a switch of protocols that nobody asked for. */
const BAD_MESSAGE = /^bad (response|upgrade)$/;

/** undici will not send what we made, or our own code threw: a defect here. */
const OURS = /^(|UND_ERR_INVALID_ARG|UND_ERR_NOT_SUPPORTED|ERR_(INVALID|HTTP|STREAM)_.*)$/;

/** Which refusal a failure to send is. Whatever is not known by its code, such as the many of TLS, is a failure to connect. */
export function codeOfFailure(error: unknown): ErrorCode {
  if (error instanceof UpstreamFault) return error.code;
  // undici's parser does not say by its code what it refuses.
  if (error instanceof errors.HTTPParserError) return 'UPSTREAM_RESPONSE_INVALID';
  const code = codeOf(error);
  if (TIMED_OUT.has(code)) return 'UPSTREAM_TIMEOUT';
  if (INVALID.test(code)) return 'UPSTREAM_RESPONSE_INVALID';
  if (code === 'UND_ERR_SOCKET' && BAD_MESSAGE.test(messageOf(error))) return 'UPSTREAM_RESPONSE_INVALID';
  if (RESET.has(code)) return 'UPSTREAM_RESET';
  return OURS.test(code) ? 'INTERNAL_ERROR' : 'UPSTREAM_CONNECT_FAILED';
}

/** Whether a failure before the answer speaks against the address: it cannot be reached, drops out, or says nothing. */
export function isTargetFailure(error: unknown): boolean {
  const code = codeOfFailure(error);
  return code === 'UPSTREAM_CONNECT_FAILED' || code === 'UPSTREAM_RESET' || code === 'UPSTREAM_TIMEOUT';
}

/** Whether it is the connection that failed, so that another may do: not where the upstream had the request and was silent. */
export function isConnectionFailure(error: unknown): boolean {
  return isTargetFailure(error) && codeOf(error) !== 'UND_ERR_HEADERS_TIMEOUT';
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : '';
}
