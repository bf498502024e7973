import { ERRORS, type ErrorCode } from './errors.ts';

/**
 * The end of a request that is not handed on. `deny` is a verdict about the request, `fault` a technical failure on
 * our side; both fail closed, and are counted apart.
 */
export interface Refusal {
  readonly kind: 'deny' | 'fault';
  readonly code: ErrorCode;
  /** Methods for `Allow`, with ROUTE_METHOD_NOT_ALLOWED. */
  readonly allow?: readonly string[];
  /** Seconds for `Retry-After`, instead of those of the code. */
  readonly retryAfter?: number;
  /** Scopes for `WWW-Authenticate`, with AUTHZ_SCOPE_REQUIRED. */
  readonly scopes?: readonly string[];
  /** For the log only: which condition failed, in the words of the configuration. */
  readonly condition?: string;
  /** For the log only: never sent to a client. */
  readonly cause?: unknown;
}

/** A request that the rules or the protocol refuse. */
export function deny(code: ErrorCode, details?: Omit<Refusal, 'kind' | 'code'>): Refusal {
  return details === undefined ? { kind: 'deny', code } : { kind: 'deny', code, ...details };
}

/** A request that could not be judged or served. */
export function fault(code: ErrorCode, cause?: unknown): Refusal {
  return { kind: 'fault', code, cause };
}

export function statusOf(refusal: Refusal): number {
  return ERRORS[refusal.code].status;
}

/** Carries a refusal out of a stream that is being sent, where nothing can be returned. */
export class RefusalError extends Error {
  override readonly name = 'RefusalError';
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(ERRORS[refusal.code].description);
    this.refusal = refusal;
  }
}
