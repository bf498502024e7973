/**
 * Every refusal and failure a client can see: one table, one wording. `docs/errors.md` is held equal to it by a test.
 * `message` is what Amazon API Gateway says for that status, so that its clients keep working; `description` says what
 * happened in words fit for strangers: no address, no token, no value from the request.
 */
export interface ErrorEntry {
  readonly status: number;
  readonly message: string;
  readonly description: string;
  /** What the caller, or the operator, can do about it; in the docs and on the HTML page. */
  readonly remedy: string;
  /** RFC 6750 section 3.1 error for `WWW-Authenticate`; `bare` is a challenge without one. */
  readonly challenge?: 'bare' | 'invalid_request' | 'invalid_token' | 'insufficient_scope';
  /** Seconds for `Retry-After`, unless the refusal knows better. */
  readonly retryAfter?: number;
  /** The connection cannot be trusted to hold another request. */
  readonly close?: true;
  readonly level: 'info' | 'warn' | 'error';
}

const badRequest = (description: string, remedy: string, close = false): ErrorEntry => ({
  status: 400,
  message: 'Bad Request',
  description,
  remedy,
  level: 'info',
  ...(close ? { close: true as const } : {}),
});

const unauthorized = (description: string, remedy: string): ErrorEntry => ({
  status: 401,
  message: 'Unauthorized',
  description,
  remedy,
  challenge: 'invalid_token',
  level: 'info',
});

const forbidden = (description: string, remedy: string): ErrorEntry => ({
  status: 403,
  message: 'Forbidden',
  description,
  remedy,
  level: 'info',
});

const upstreamFault = (status: 502 | 504, description: string, remedy: string): ErrorEntry => ({
  status,
  message: status === 502 ? 'Bad Gateway' : 'Gateway Timeout',
  description,
  remedy,
  level: 'warn',
});

const unavailable = (description: string, remedy: string, retryAfter: number): ErrorEntry => ({
  status: 503,
  message: 'Service Unavailable',
  description,
  remedy,
  retryAfter,
  level: 'error',
});

const NEW_TOKEN = 'Sign in again, or refresh the token.';

const table = {
  REQUEST_MALFORMED: badRequest(
    'the request is not well-formed HTTP',
    'Send one well-formed HTTP/1.1 request at a time.',
    true,
  ),
  REQUEST_HOST_INVALID: badRequest(
    'exactly one valid Host header is required',
    'Send one Host header that names the host and, if needed, the port.',
    true,
  ),
  REQUEST_TARGET_INVALID: badRequest(
    'the request target must be an absolute path',
    'Ask for a path that starts with a slash; absolute URLs only for this host.',
    true,
  ),
  REQUEST_PATH_AMBIGUOUS: badRequest(
    'the path could be read in more than one way',
    'Use the plain spelling: no dot segments, empty segments, backslashes, or encoded / \\ # ? % ; and NUL.',
  ),
  REQUEST_HEADER_DUPLICATE: badRequest(
    'a header that may occur once occurs twice',
    'Send Authorization, Host and Content-Length once each.',
    true,
  ),
  REQUEST_FRAMING_INVALID: badRequest(
    'the length of the body is in doubt',
    'Send either one Content-Length or Transfer-Encoding: chunked.',
    true,
  ),
  REQUEST_EXPECTATION_FAILED: {
    status: 417,
    message: 'Expectation Failed',
    description: 'only Expect: 100-continue is supported',
    remedy: 'Leave the Expect header out.',
    level: 'info',
  },
  REQUEST_METHOD_UNSUPPORTED: badRequest(
    'CONNECT is not supported',
    'This is not a forward proxy: ask for a path.',
    true,
  ),
  REQUEST_TIMEOUT: {
    status: 408,
    message: 'Request Timeout',
    description: 'the request did not arrive in time',
    remedy: 'Send the request without long pauses.',
    close: true,
    level: 'info',
  },
  ROUTE_NOT_FOUND: {
    status: 404,
    message: 'Not Found',
    description: 'no route matches this host and path',
    remedy: 'Check host and path against the configured routes; `explain` shows what matches.',
    level: 'info',
  },
  ROUTE_METHOD_NOT_ALLOWED: {
    status: 405,
    message: 'Method Not Allowed',
    description: 'the route does not allow this method',
    remedy: 'Use a method that the Allow header names.',
    level: 'info',
  },
  AUTHN_TOKEN_MISSING: {
    ...unauthorized('a token is required', 'Send a Cognito token: Authorization: Bearer <token>.'),
    challenge: 'bare',
  },
  AUTHN_TOKEN_DUPLICATE: {
    ...badRequest('more than one token was sent', 'Send the token in one place only.'),
    challenge: 'invalid_request',
  },
  AUTHN_SCHEME_UNSUPPORTED: unauthorized(
    'the authorization scheme is not Bearer',
    'Send Authorization: Bearer <token>, or the bare token.',
  ),
  AUTHN_TOKEN_MALFORMED: unauthorized(
    'the token is not a well-formed JWT',
    'Send the token exactly as Cognito issued it.',
  ),
  AUTHN_TOKEN_TOO_LARGE: unauthorized(
    'the token is larger than 16 KiB',
    'Remove claims from the token, for example with fewer groups.',
  ),
  AUTHN_ALGORITHM_UNSUPPORTED: unauthorized(
    'the token is not signed with RS256',
    'Use a token that Cognito issued.',
  ),
  AUTHN_HEADER_UNSUPPORTED: unauthorized(
    'the token header carries an extension that is not supported',
    'Use a token that Cognito issued.',
  ),
  AUTHN_ISSUER_UNKNOWN: unauthorized(
    'the token was issued by an unknown issuer',
    'Use a token of a user pool that is configured here.',
  ),
  AUTHN_KEY_UNKNOWN: unauthorized(
    'the token is signed with an unknown key',
    'Use a current token; if the pool has just rotated its keys, try again in some seconds.',
  ),
  AUTHN_SIGNATURE_INVALID: unauthorized('the signature of the token is wrong', NEW_TOKEN),
  AUTHN_TOKEN_EXPIRED: unauthorized('the token has expired', NEW_TOKEN),
  AUTHN_TOKEN_NOT_YET_VALID: unauthorized(
    'the token is not valid yet',
    'Check the clocks of the caller and of this proxy.',
  ),
  AUTHN_CLAIMS_INVALID: unauthorized(
    'a required claim is missing or has the wrong type',
    'Use a token that Cognito issued.',
  ),
  AUTHN_TOKEN_USE_MISMATCH: unauthorized(
    'this kind of token is not accepted',
    'Send the access token where access tokens are expected, the ID token where ID tokens are.',
  ),
  AUTHN_CLIENT_MISMATCH: unauthorized(
    'the token was issued to a client that is not accepted',
    'Use an app client whose id is configured here.',
  ),
  AUTHN_ID_TOKEN_MISMATCH: unauthorized(
    'the ID token is not of the same caller, issuer and client as the access token',
    'Send the two tokens of one sign-in.',
  ),
  AUTHN_ORIGIN_MISMATCH: {
    ...forbidden(
      'the request comes from another site',
      'With a token in a cookie, unsafe methods must come from the same origin or an allowed one.',
    ),
  },
  AUTHN_KEYS_UNAVAILABLE: unavailable(
    'the keys to verify tokens are not available',
    'Try again; operators: check that the key set can be reached.',
    5,
  ),
  AUTHZ_GROUP_REQUIRED: forbidden(
    'the caller is not in a group that this route requires',
    'Ask for membership in one of the groups; a new sign-in puts them into the token.',
  ),
  AUTHZ_SCOPE_REQUIRED: {
    ...forbidden(
      'the token lacks a scope that this route requires',
      'Request the scopes named in WWW-Authenticate when signing in.',
    ),
    challenge: 'insufficient_scope',
  },
  AUTHZ_CLAIM_REQUIRED: forbidden(
    'a claim of the token does not meet what this route requires',
    'Ask the operator which claim is required; `explain` shows it.',
  ),
  AUTHZ_USER_POOL_MISMATCH: forbidden(
    'this route is for users of another user pool',
    'Sign in with a user pool that the route names.',
  ),
  AUTHZ_CLIENT_MISMATCH: forbidden(
    'this route is for other app clients',
    'Sign in with an app client that the route names.',
  ),
  AUTHZ_TOKEN_USE_MISMATCH: forbidden(
    'this route is for another kind of token',
    'Send the kind of token, access or ID, that the route names.',
  ),
  AUTHZ_CONDITIONS_NOT_MET: forbidden(
    'the conditions that this route requires are not met',
    'Ask the operator which they are; `explain` shows which of them hold.',
  ),
  SIGN_ID_TOKEN_REQUIRED: unauthorized(
    'this route needs the ID token',
    'Send the ID token in Authorization, or beside the access token in x-id-token.',
  ),
  SIGN_GUEST_REFUSED: {
    ...unauthorized(
      'this route signs with credentials of the caller, and guests have none',
      'Send a Cognito token: Authorization: Bearer <token>.',
    ),
    challenge: 'bare',
  },
  SIGN_USER_POOL_MISMATCH: forbidden(
    'the identity pool behind this route is for users of another user pool',
    'Sign in with the user pool that the identity pool names.',
  ),
  SIGN_ROLE_DENIED: forbidden(
    'the role for this request is not granted to the caller',
    "Operators: check the token's cognito:roles, the role's trust policy and the log.",
  ),
  SIGN_CREDENTIALS_DENIED: forbidden(
    'the identity pool refuses credentials to the caller',
    'Operators: check the providers and roles of the identity pool; the log has its reason.',
  ),
  SIGN_CREDENTIALS_THROTTLED: unavailable(
    'credentials are asked for faster than they may be',
    'Try again; operators: raise the quota of the identity pool, then callsPerSecond.',
    2,
  ),
  SIGN_CREDENTIALS_UNAVAILABLE: unavailable(
    'credentials to sign with are not available',
    'Try again; operators: check that the identity pool and STS can be reached, and the log.',
    5,
  ),
  SIGN_QUERY_UNSUPPORTED: badRequest(
    'the query cannot be signed',
    'Encode the query as UTF-8, and name no parameter __proto__.',
  ),
  SIGN_CHUNKS_INVALID: badRequest(
    'the aws-chunked body is not well-formed, or not as long as x-amz-decoded-content-length says',
    'Send the body as an AWS SDK does, or without aws-chunked.',
    true,
  ),
  SIGN_PAYLOAD_MISMATCH: badRequest(
    'the body does not have the hash that x-amz-content-sha256 says',
    'Send the hash of the body, UNSIGNED-PAYLOAD, or no such header.',
    true,
  ),
  SIGN_LENGTH_REQUIRED: {
    status: 411,
    message: 'Length Required',
    description: 'the length of the body must be known before it is signed',
    remedy: 'Send Content-Length, or x-amz-decoded-content-length with aws-chunked.',
    close: true,
    level: 'info',
  },
  SIGN_BODY_TOO_LARGE: {
    status: 413,
    message: 'Request Too Long',
    description: 'the body is larger than can be held to be hashed',
    remedy:
      'Send its hash in x-amz-content-sha256; operators: payload: stream or unsigned, or a larger limits.bufferBytes.',
    close: true,
    level: 'info',
  },
  UPSTREAM_CONNECT_FAILED: upstreamFault(
    502,
    'the service behind this proxy could not be reached',
    'Operators: check that the upstream runs and that its address is right.',
  ),
  UPSTREAM_RESET: upstreamFault(
    502,
    'the service behind this proxy closed the connection',
    "Operators: look at the upstream's own log at this time.",
  ),
  UPSTREAM_RESPONSE_INVALID: upstreamFault(
    502,
    'the service behind this proxy sent an answer that is not valid HTTP',
    'Operators: the log has the reason.',
  ),
  UPSTREAM_UPGRADE_REFUSED: upstreamFault(
    502,
    'the service behind this proxy did not switch protocols',
    'Operators: check that the upstream serves WebSockets on this path.',
  ),
  UPSTREAM_TIMEOUT: upstreamFault(
    504,
    'the service behind this proxy did not answer in time',
    "Operators: look at the upstream's latency, or raise timeouts.response.",
  ),
  LIMIT_BODY: {
    status: 413,
    message: 'Request Too Long',
    description: 'the body is larger than is accepted here',
    remedy: 'Send a smaller body.',
    close: true,
    level: 'info',
  },
  LIMIT_URL: {
    status: 414,
    message: 'URI Too Long',
    description: 'the request target is longer than is accepted here',
    remedy: 'Send a shorter path and query.',
    close: true,
    level: 'info',
  },
  LIMIT_HEADERS: {
    status: 431,
    message: 'Request Header Fields Too Large',
    description: 'the header section is larger than is accepted here',
    remedy: 'Send fewer or shorter headers, cookies first.',
    close: true,
    level: 'info',
  },
  LIMIT_HEADER_COUNT: {
    status: 431,
    message: 'Request Header Fields Too Large',
    description: 'the request has more header fields than are accepted here',
    remedy: 'Send fewer headers.',
    close: true,
    level: 'info',
  },
  LIMIT_CONNECTIONS: {
    ...unavailable('too many connections', 'Try again in a moment.', 1),
    close: true,
    level: 'warn',
  },
  LIMIT_BUFFER: {
    ...unavailable('too many bodies are being held to be hashed', 'Try again in a moment.', 1),
    close: true,
    level: 'warn',
  },
  LIMIT_UPSTREAM: {
    ...unavailable(
      'the service behind this proxy has as many requests as it can take',
      'Try again in a moment; operators: look at its latency, or raise limits.requests or limits.queue of the upstream.',
      1,
    ),
    level: 'warn',
  },
  LIMIT_WEBSOCKETS: {
    ...unavailable(
      'too many WebSockets are open',
      'Try again later; operators: raise server.limits.webSockets.',
      5,
    ),
    level: 'warn',
  },
  LIMIT_WEBSOCKET_IDLE: {
    status: 408,
    message: 'Request Timeout',
    description: 'the WebSocket was idle for too long',
    remedy: 'Send a ping now and then; the socket is closed with code 1001, so this status is only logged.',
    level: 'info',
  },
  LIMIT_RATE: {
    status: 429,
    message: 'Too Many Requests',
    description: 'the route is used more often than it may be',
    remedy: 'Wait for the seconds that Retry-After says; RateLimit-Policy says how often is fine.',
    retryAfter: 1,
    level: 'info',
  },
  LIMIT_RATE_UNKNOWN: unavailable(
    'how often the route was used cannot be found out',
    'Try again; operators: check that the store of rateLimits can be reached.',
    1,
  ),
  INTERNAL_ERROR: {
    status: 500,
    message: 'Internal Server Error',
    description: 'the proxy failed while handling the request',
    remedy: 'Operators: the log has the cause under this request id.',
    level: 'error',
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof table;

export const ERRORS: Readonly<Record<ErrorCode, ErrorEntry>> = table;
