import type { ErrorCode } from '../core/errors.ts';

const TIMED_OUT: ReadonlySet<string> = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'ERR_UPSTREAM_UPGRADE_TIMEOUT',
  'ETIMEDOUT',
]);

const RESET: ReadonlySet<string> = new Set([
  'UND_ERR_SOCKET',
  'ECONNRESET',
  'EPIPE',
  'UND_ERR_INFO',
  'UND_ERR_ABORTED',
]);

const NOT_SENT: ReadonlySet<string> = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EADDRNOTAVAIL',
]);

/** Which refusal a failure of the HTTP client or the socket is. */
export function codeOfFailure(error: unknown): ErrorCode {
  const code = codeOf(error);
  if (TIMED_OUT.has(code)) return 'UPSTREAM_TIMEOUT';
  if (code === 'UND_ERR_SOCKET' && /^bad (response|upgrade)$/.test(messageOf(error))) {
    return 'UPSTREAM_RESPONSE_INVALID';
  }
  if (RESET.has(code)) return 'UPSTREAM_RESET';
  if (code.startsWith('HPE_') || /^UND_ERR_(HEADERS_OVERFLOW|RES_|HTTP_PARSER)/.test(code)) {
    return 'UPSTREAM_RESPONSE_INVALID';
  }
  return 'UPSTREAM_CONNECT_FAILED';
}

/** Whether a failure means that the connection, rather than this one request, is at fault. */
export function isConnectionFailure(error: unknown): boolean {
  const code = codeOf(error);
  return NOT_SENT.has(code) || (RESET.has(code) && codeOfFailure(error) === 'UPSTREAM_RESET');
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : '';
}
