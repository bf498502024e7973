import { randomUUID } from 'node:crypto';
import type { Config } from '../config/schema/config.ts';
import type { UserPoolConfig } from '../config/schema/pools.ts';
import type { ConditionsConfig, NamesConfig } from '../config/schema/rules.ts';

/** Seconds for which their tokens are good: Cognito's longest. */
const LIFETIME = 86_400;

/** What a configuration's rules ask for by name, each once, in the order of the file. */
export interface NamesAsked {
  readonly groups: readonly string[];
  readonly scopes: readonly string[];
  /** The roles that requests are signed with. */
  readonly roles: readonly string[];
}

/** What a rule demands; what it forbids (`noneOf`) is not among it. */
export function namesAskedBy(config: Config): NamesAsked {
  const groups = new Set<string>();
  const scopes = new Set<string>();
  const roles = new Set<string>();
  const visit = (conditions: ConditionsConfig): void => {
    for (const group of demanded(conditions.groups)) groups.add(group);
    for (const scope of demanded(conditions.scopes)) scopes.add(scope);
    for (const each of [...(conditions.anyOf ?? []), ...(conditions.allOf ?? [])]) visit(each);
  };
  for (const { allow } of config.routes) if (typeof allow === 'object') visit(allow);
  for (const { sign } of Object.values(config.upstreams)) {
    for (const { when, roleArn } of sign?.roles ?? []) {
      visit(when);
      roles.add(roleArn);
    }
    if (sign?.roleArn != null) roles.add(sign.roleArn);
  }
  return { groups: [...groups], scopes: [...scopes], roles: [...roles] };
}

function demanded(names: NamesConfig | undefined): readonly string[] {
  if (names === undefined) return [];
  if (typeof names === 'string') return [names];
  return 'length' in names ? names : [...(names.anyOf ?? []), ...(names.allOf ?? [])];
}

/** A token to call with, by whose it is. */
export interface SampleToken {
  readonly name: 'alice' | 'bob' | 'machine' | 'alice_id' | 'bob_id';
  readonly claims: object;
}

/**
 * Tokens of two users and a client, with the claims that Cognito gives such: `alice` is in every group that is asked for,
 * `bob` in none; both came by the pool's first app client and may take every role. `machine` is its last, by client
 * credentials and with every scope. Unlike in Cognito, a user's `sub` is the name, so that it can be typed.
 * @param withIdTokens whether users need their ID tokens beside their access tokens, where the pool takes these
 */
export function makeSampleTokens(
  pool: UserPoolConfig,
  issuer: string,
  asked: NamesAsked,
  now: number,
  withIdTokens: boolean,
): SampleToken[] {
  const clients = pool.clientIds ?? ['any-client'];
  const first = clients[0] ?? '';
  const last = clients.at(-1) ?? '';
  const common = (): object => ({
    iss: issuer,
    auth_time: now,
    iat: now,
    exp: now + LIFETIME,
    jti: randomUUID(),
  });
  const users = (['alice', 'bob'] as const).flatMap((name): SampleToken[] => {
    const groups = name === 'alice' && asked.groups.length > 0 ? { 'cognito:groups': asked.groups } : {};
    const access = { ...common(), ...groups, ...accessClaims(name, first) };
    const roles = asked.roles.length > 0 ? { 'cognito:roles': asked.roles } : {};
    const id = { ...common(), ...groups, ...roles, ...idClaims(name, first) };
    if (!pool.tokenUse.includes('access')) return [{ name, claims: id }];
    return [{ name, claims: access }, ...(withIdTokens ? [{ name: `${name}_id` as const, claims: id }] : [])];
  });
  // A pool that takes ID tokens alone has nothing for machines, which are never given one.
  if (asked.scopes.length === 0 || !pool.tokenUse.includes('access')) return users;
  const machine = {
    ...common(),
    sub: last,
    token_use: 'access',
    client_id: last,
    scope: asked.scopes.join(' '),
  };
  return [...users, { name: 'machine', claims: machine }];
}

function accessClaims(name: string, clientId: string): object {
  return {
    sub: name,
    token_use: 'access',
    client_id: clientId,
    username: name,
    scope: 'aws.cognito.signin.user.admin',
  };
}

function idClaims(name: string, clientId: string): object {
  return {
    sub: name,
    token_use: 'id',
    aud: clientId,
    'cognito:username': name,
    email: `${name}@example.com`,
    email_verified: true,
  };
}
