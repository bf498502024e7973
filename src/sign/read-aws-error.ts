import { deny, fault, type Refusal, RefusalError } from '../core/refusal.ts';

/** What failed: a call made for the caller, with the caller's tokens, or one made with credentials of our own. */
export type CallParty = 'caller' | 'self';

const THROTTLED: ReadonlySet<string> = new Set([
  'TooManyRequestsException',
  'LimitExceededException',
  'Throttling',
  'ThrottlingException',
  'ThrottledException',
  'RequestLimitExceeded',
]);

/** Errors about a caller's tokens (Cognito identity pools and STS API references). */
const DENIED: ReadonlySet<string> = new Set([
  'NotAuthorizedException',
  'InvalidParameterException',
  'ResourceConflictException',
  'DeveloperUserAlreadyRegisteredException',
  'InvalidIdentityToken',
  'InvalidIdentityTokenException',
  'IDPRejectedClaim',
  'IDPRejectedClaimException',
  'ExpiredTokenException',
]);

/** Errors about the role: its trust policy, or its place in the identity pool. */
const ROLE_DENIED: ReadonlySet<string> = new Set([
  'AccessDenied',
  'InvalidIdentityPoolConfigurationException',
]);

/**
 * What an error of the AWS SDK means for the request that needed the call.
 * @param secrets texts that were sent, none of which may show up in the log
 */
export function readAwsError(error: unknown, party: CallParty, secrets: readonly string[]): Refusal {
  if (error instanceof RefusalError) return error.refusal;
  const name = error instanceof Error ? error.name : '';
  const cause = describe(error, secrets);
  if (THROTTLED.has(name) || statusOf(error) === 429) return fault('SIGN_CREDENTIALS_THROTTLED', cause);
  if (party === 'caller' && DENIED.has(name)) return deny('SIGN_CREDENTIALS_DENIED', { cause });
  if (ROLE_DENIED.has(name)) return deny('SIGN_ROLE_DENIED', { cause });
  return fault('SIGN_CREDENTIALS_UNAVAILABLE', cause);
}

/** Whether the same call may well succeed at once: the connection broke, or the service stumbled. */
export function isTransient(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /^(ECONNRESET|EPIPE)$/.test(code) || (statusOf(error) ?? 0) >= 500;
}

/** Whether the identity, or the identity pool, that was named is not there. */
export function isNotFound(error: unknown): boolean {
  return error instanceof Error && error.name === 'ResourceNotFoundException';
}

function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('$metadata' in error)) return undefined;
  const { httpStatusCode } = error.$metadata as { httpStatusCode?: number };
  return httpStatusCode;
}

/**
 * An error for the log. The SDK's own carries the whole exchange in hidden fields, and a message may say back what was
 * sent: only the name and the cleaned message are kept.
 */
function describe(error: unknown, secrets: readonly string[]): Error {
  const name = error instanceof Error ? error.name : 'Error';
  let message = error instanceof Error ? error.message : '';
  for (const secret of secrets) {
    message = message.replaceAll(secret, '[removed]').replaceAll(encodeURIComponent(secret), '[removed]');
  }
  // Anything that long and that opaque is a token, a key or a signature.
  message = message.replace(/[A-Za-z0-9+/=_-]{40,}/g, '[removed]').replace(/\s+/g, ' ');
  return new Error(`${name}: ${message.slice(0, 300)}`);
}
