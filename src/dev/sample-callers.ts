import { randomUUID } from 'node:crypto';
import type { Config } from '../config/schema/config.ts';
import type { UserPoolConfig } from '../config/schema/pools.ts';
import type { ConditionsConfig, NamesConfig } from '../config/schema/rules.ts';

/** Seconds for which their tokens are good: Cognito's longest. */
const LIFETIME = 86_400;

/** The groups and scopes that a configuration's rules ask for by name, each once, in the order of the file. */
export interface NamesAsked {
  readonly groups: readonly string[];
  readonly scopes: readonly string[];
}

/** What a rule demands; what it forbids (`noneOf`) is not among it. */
export function namesAskedBy(config: Config): NamesAsked {
  const groups = new Set<string>();
  const scopes = new Set<string>();
  const visit = (conditions: ConditionsConfig): void => {
    for (const group of demanded(conditions.groups)) groups.add(group);
    for (const scope of demanded(conditions.scopes)) scopes.add(scope);
    for (const each of [...(conditions.anyOf ?? []), ...(conditions.allOf ?? [])]) visit(each);
  };
  for (const { allow } of config.routes) if (typeof allow === 'object') visit(allow);
  return { groups: [...groups], scopes: [...scopes] };
}

function demanded(names: NamesConfig | undefined): readonly string[] {
  if (names === undefined) return [];
  if (typeof names === 'string') return [names];
  return 'length' in names ? names : [...(names.anyOf ?? []), ...(names.allOf ?? [])];
}

/** Somebody who calls with a token of a pool. */
export interface SampleCaller {
  readonly name: 'alice' | 'bob' | 'machine';
  /** Claims of a token of a kind that the pool accepts. */
  readonly claims: object;
}

/**
 * Two users and a client, with the claims that Cognito gives such: `alice` is in every group that is asked for, `bob` in
 * none; both came by the pool's first app client. `machine` is its last, by client credentials and with every scope.
 * Unlike in Cognito, a user's `sub` is the name, so that it can be typed.
 */
export function makeCallers(
  pool: UserPoolConfig,
  issuer: string,
  asked: NamesAsked,
  now: number,
): SampleCaller[] {
  const clients = pool.clientIds ?? ['any-client'];
  const times = { auth_time: now, iat: now, exp: now + LIFETIME };
  const user = (name: 'alice' | 'bob', groups: readonly string[]): SampleCaller => {
    const common = { sub: name, iss: issuer, ...times, jti: randomUUID() };
    const membership = groups.length === 0 ? {} : { 'cognito:groups': groups };
    const claims = pool.tokenUse.includes('access')
      ? {
          token_use: 'access',
          client_id: clients[0],
          username: name,
          scope: 'aws.cognito.signin.user.admin',
        }
      : {
          token_use: 'id',
          aud: clients[0],
          'cognito:username': name,
          email: `${name}@example.com`,
          email_verified: true,
        };
    return { name, claims: { ...common, ...membership, ...claims } };
  };
  const machine: SampleCaller = {
    name: 'machine',
    claims: {
      sub: clients.at(-1),
      iss: issuer,
      ...times,
      jti: randomUUID(),
      token_use: 'access',
      client_id: clients.at(-1),
      scope: asked.scopes.join(' '),
    },
  };
  const users = [user('alice', asked.groups), user('bob', [])];
  // A pool that takes ID tokens alone has nothing for machines, which are never given one.
  return asked.scopes.length > 0 && pool.tokenUse.includes('access') ? [...users, machine] : users;
}
