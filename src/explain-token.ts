import { parseToken } from './authenticate/parse-token.ts';
import { poolPolicies } from './authenticate/user-pools.ts';
import type { Config } from './config/schema/config.ts';
import type { ErrorCode } from './core/errors.ts';

/** What a token says that is refused. None of it is verified; null where it does not say, or not in the form it should. */
export interface RefusedToken {
  readonly issuer: string | null;
  readonly clientId: string | null;
  readonly tokenUse: string | null;
  /** Seconds since the epoch. */
  readonly notBefore: number | null;
  readonly expiresAt: number | null;
  /** Values of which it should have had one, where that is what it was refused for. */
  readonly accepted: readonly string[] | null;
}

/** @returns null for what cannot be read as a token */
export function readRefusedToken(token: string, code: ErrorCode, config: Config): RefusedToken | null {
  const parsed = parseToken(token);
  if ('code' in parsed) return null;
  const { iss, aud, exp, nbf, ...claims } = parsed.claims;
  const tokenUse = textOf(claims['token_use']);
  return {
    issuer: textOf(iss),
    clientId: textOf(tokenUse === 'id' ? aud : claims['client_id']),
    tokenUse,
    notBefore: typeof nbf === 'number' ? nbf : null,
    expiresAt: typeof exp === 'number' ? exp : null,
    accepted: acceptedInstead(code, textOf(iss), config),
  };
}

/**
 * A refused token in rows of name and text.
 * @param now seconds since the epoch
 */
export function describeRefusedToken(
  token: RefusedToken,
  now: number,
): readonly (readonly [string, string])[] {
  const { issuer, clientId, tokenUse, notBefore, expiresAt, accepted } = token;
  const left = expiresAt === null ? null : Math.round(expiresAt - now);
  const until =
    left === null
      ? 'does not say when it expires'
      : left > 0
        ? `expires in ${left} s`
        : `expired ${-left} s ago`;
  const from =
    notBefore === null || notBefore <= now ? '' : `, is valid in ${Math.round(notBefore - now)} s only`;
  return [
    ['token', `issuer ${shown(issuer)}`],
    ['', `client ${shown(clientId)}, token_use ${shown(tokenUse)}`],
    ['', `${until}${from}`],
    ...(accepted ?? []).map((value, i) => [i === 0 ? 'accepted' : '', value] as const),
  ];
}

function acceptedInstead(code: ErrorCode, issuer: string | null, config: Config): readonly string[] | null {
  const policies = poolPolicies(config.userPools);
  if (code === 'AUTHN_ISSUER_UNKNOWN') return [...policies.keys()];
  const policy = policies.get(issuer ?? '');
  if (code === 'AUTHN_CLIENT_MISMATCH') return [...(policy?.clientIds ?? [])];
  if (code === 'AUTHN_TOKEN_USE_MISMATCH') return [...(policy?.tokenUse ?? [])];
  return null;
}

function textOf(claim: unknown): string | null {
  return typeof claim === 'string' ? claim : null;
}

/** Whoever made the token chose the text: nothing in it may act on the terminal. */
function shown(text: string | null): string {
  if (text === null) return '(none)';
  if (/^[\x21-\x7e]+$/.test(text)) return text;
  return JSON.stringify(text).replace(
    /[\x7f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
