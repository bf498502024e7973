import type { ErrorCode } from '../core/errors.ts';
import { UpstreamFault } from './http/upstream-fault.ts';

/** A connection that was there is gone. */
const RESET: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE']);

/** What came is no answer that can be handed on: node's parser refuses it (HPE_), or node:http will not write it. */
const INVALID = /^(HPE_|ERR_INVALID_CHAR$|ERR_INVALID_HTTP_TOKEN$|ERR_HTTP_(INVALID|TRAILER)_)/;

/** There is no descriptor left, here: that is nobody else's fault. */
const EXHAUSTED: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE']);

/** Our own code threw: a defect here. */
const OURS = /^(|ERR_(INVALID|HTTP|STREAM)_.*)$/;

/** Which refusal a failure to send is. Whatever is not known by its code, such as the many of TLS, is a failure to connect. */
export function codeOfFailure(error: unknown): ErrorCode {
  if (error instanceof UpstreamFault) return error.code;
  const code = codeOf(error);
  if (code === 'ETIMEDOUT') return 'UPSTREAM_TIMEOUT';
  if (INVALID.test(code)) return 'UPSTREAM_RESPONSE_INVALID';
  if (RESET.has(code)) return 'UPSTREAM_RESET';
  return OURS.test(code) ? 'INTERNAL_ERROR' : 'UPSTREAM_CONNECT_FAILED';
}

/** Whether a failure before the answer speaks against the address: it cannot be reached, drops out, or says nothing. */
export function isTargetFailure(error: unknown): boolean {
  if (EXHAUSTED.has(codeOf(error))) return false;
  const code = codeOfFailure(error);
  return code === 'UPSTREAM_CONNECT_FAILED' || code === 'UPSTREAM_RESET' || code === 'UPSTREAM_TIMEOUT';
}

/** Whether it is the connection that failed, so that another may do: not where the upstream had the request and was silent. */
export function isConnectionFailure(error: unknown): boolean {
  return isTargetFailure(error) && !(error instanceof UpstreamFault && !error.askAnother);
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}
