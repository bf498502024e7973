/** Claims of a verified token, as JSON gave them. */
export type Claims = Readonly<Record<string, unknown>>;

/** Who a verified token speaks for. Made once per token and shared by every request that carries it: never changed. */
export interface Principal {
  /** The name of the user pool in the configuration. */
  readonly pool: string;
  readonly issuer: string;
  readonly subject: string;
  /** `username` or `cognito:username`, whichever the token carries; empty for client-credentials tokens. */
  readonly username: string;
  readonly clientId: string;
  readonly tokenUse: 'access' | 'id';
  readonly groups: readonly string[];
  readonly scopes: readonly string[];
  /** Seconds since the epoch. */
  readonly expiresAt: number;
  readonly claims: Claims;
}

/**
 * One claim by its name, with `username`, `client_id`, `groups` and `scopes` meaning the same for both kinds of token.
 * Undefined when the token has none; an empty list is none, as Cognito leaves out `cognito:groups` where there are none.
 */
export function claimOf(principal: Principal, name: string): unknown {
  switch (name) {
    case 'sub':
      return principal.subject;
    case 'username':
    case 'cognito:username':
      return principal.username === '' ? undefined : principal.username;
    case 'client_id':
      return principal.clientId;
    case 'token_use':
      return principal.tokenUse;
    case 'groups':
    case 'cognito:groups':
      return principal.groups.length === 0 ? undefined : principal.groups;
    case 'scopes':
      return principal.scopes.length === 0 ? undefined : principal.scopes;
    default:
      return Object.hasOwn(principal.claims, name) ? principal.claims[name] : undefined;
  }
}
