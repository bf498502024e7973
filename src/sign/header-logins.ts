import { deny, type Refusal } from '../core/refusal.ts';
import type { IdentityPoolPlan } from '../core/signing.ts';

/** Tokens that a request carries for other providers. */
export interface HeaderLogins {
  readonly tokens: readonly { readonly provider: string; readonly token: string }[];
  /** The identity that a token of the identity pool service names by itself. */
  readonly identityId: string | null;
  /** Milliseconds since the epoch after which one of them is no longer good; null: none says. */
  readonly notAfter: number | null;
}

/** What a request without any has: always this one. */
export const NO_LOGINS: HeaderLogins = { tokens: [], identityId: null, notAfter: null };

/**
 * Other providers' tokens. They are not verified here: Cognito does that, and what it gives is remembered under the
 * whole token. Their expiry is read only to shorten how long.
 */
export function readHeaderLogins(headers: readonly string[], pool: IdentityPoolPlan): HeaderLogins | Refusal {
  if (pool.headerLogins.length === 0) return NO_LOGINS;
  const tokens: { readonly provider: string; readonly token: string }[] = [];
  let identityId: string | null = null;
  let notAfter: number | null = null;
  for (const { provider, header } of pool.headerLogins) {
    const values = headers.filter((_, i) => i % 2 === 1 && headers[i - 1] === header);
    if (values.length > 1) return deny('REQUEST_HEADER_DUPLICATE');
    const token = values[0]?.trim() ?? '';
    if (token === '') continue;
    tokens.push({ provider, token });
    const claims = readClaims(token);
    if (typeof claims['exp'] === 'number') {
      notAfter = Math.min(notAfter ?? Number.POSITIVE_INFINITY, claims['exp'] * 1000);
    }
    if (provider === pool.ownProvider) identityId = typeof claims['sub'] === 'string' ? claims['sub'] : '';
  }
  return tokens.length === 0 ? NO_LOGINS : { tokens, identityId, notAfter };
}

/** Claims of a token, unverified; none of what is not a JWT, such as a SAML assertion. */
function readClaims(token: string): Readonly<Record<string, unknown>> {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    return typeof claims === 'object' && claims !== null ? (claims as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
