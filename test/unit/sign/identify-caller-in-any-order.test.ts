import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Principal } from '../../../src/core/principal.ts';
import type { IdentityPoolPlan, SigningPlan } from '../../../src/core/signing.ts';
import type { Matches } from '../../../src/sign/choose-role.ts';
import { createIdentification } from '../../../src/sign/identify-caller.ts';
import { exchange } from '../../support/exchange.ts';
import { principal } from '../../support/principal.ts';
import { route } from '../../support/routes.ts';

const POOL: IdentityPoolPlan = {
  kind: 'identityPool',
  name: 'main',
  userPool: 'main',
  provider: 'user-pool',
  ownProvider: 'identity-pool',
  flow: 'enhanced',
  roleArn: null,
  guest: true,
  needsIdToken: true,
  headerLogins: [],
  developer: null,
};
const PLAN: SigningPlan = {
  service: 's3',
  region: 'us-east-1',
  s3: true,
  payload: 'hash',
  source: POOL,
  roles: [],
  roleArn: null,
};

function plan(
  changes: Partial<IdentityPoolPlan>,
  ...roles: readonly (readonly [string, string])[]
): SigningPlan {
  const rules = roles.map(([group, roleArn]) => ({
    when: { kind: 'groups', quantifier: 'anyOf', values: [group] } as const,
    roleArn,
  }));
  return { ...PLAN, source: { ...POOL, ...changes }, roles: rules };
}

const LOGINS = [
  { provider: 'other', header: 'x-other' },
  { provider: POOL.ownProvider, header: 'x-own' },
];
const PLANS = [
  PLAN,
  plan({}, ['admins', 'A'], ['users', 'B']),
  plan({}, ['users', 'C']),
  plan({ flow: 'basic', roleArn: 'basic' }, ['admins', 'A']),
  plan({ headerLogins: LOGINS }, ['users', 'B']),
  plan({ guest: false, headerLogins: LOGINS }),
  plan({ needsIdToken: false, developer: { provider: 'dev', claim: 'username' } }),
  plan({ needsIdToken: false, developer: { provider: 'dev', claim: 'custom:user' } }, ['users', 'B']),
  plan({ userPool: 'partners' }),
  { ...PLAN, source: { kind: 'own', name: 'own/s3' }, roleArn: 'mine' } satisfies SigningPlan,
];

const ALL_ROLES = { 'cognito:roles': ['A', 'B', 'C'] };
const PRINCIPALS: readonly Principal[] = [
  principal(),
  principal({ groups: ['users'], claims: { ...ALL_ROLES, 'custom:user': 'u1' } }),
  principal({ groups: ['admins', 'users'], claims: ALL_ROLES }),
  principal({ subject: 'b', username: 'bob', claims: { ...ALL_ROLES, 'cognito:preferred_role': 'A' } }),
  principal({ subject: 'b', username: 'bob', claims: { 'cognito:preferred_role': 'B', 'custom:user': 7 } }),
  principal({ issuer: 'https://partners.test', pool: 'partners' }),
];

const matches: Matches = (condition, caller) =>
  condition.kind === 'groups' && condition.values.some((group) => caller.groups.includes(group));

const jwt = (claims: object): string =>
  `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.sig`;
const HEADERS: readonly (readonly string[])[] = [
  [],
  ['x-other', jwt({ sub: 'o1', exp: 1000 })],
  ['x-other', jwt({ sub: 'o2', exp: 2000 })],
  ['x-own', jwt({ sub: 'identity-1' })],
  ['x-other', ' ', 'x-own', ''],
  ['x-other', 'a', 'x-other', 'b'],
];

const OPTIONAL = route({ allow: 'optional' });
const PUBLIC = route({ allow: 'public' });

const request = fc.record({
  plan: fc.constantFrom(...PLANS),
  principal: fc.constantFrom(null, ...PRINCIPALS),
  idToken: fc.option(
    fc.record({ raw: fc.constantFrom('raw-1', 'raw-2'), principal: fc.constantFrom(...PRINCIPALS) }),
  ),
  headers: fc.constantFrom(...HEADERS),
  route: fc.constantFrom(OPTIONAL, PUBLIC),
});

describe('whose credentials a request is signed with', () => {
  it('does not depend on whose requests came before', () => {
    fc.assert(
      fc.property(fc.array(request, { minLength: 2, maxLength: 30 }), (requests) => {
        const identify = createIdentification(matches);
        for (const { plan, principal, idToken, headers, route } of requests) {
          const made = exchange({ headers: [...headers] }, route);
          made.principal = principal;
          made.idToken = idToken;
          expect(identify(made, plan)).toEqual(createIdentification(matches)(made, plan));
        }
      }),
      { numRuns: 500, seed: 1 },
    );
  });

  it('is told apart by every token that came along, whatever came before', () => {
    const alice = PRINCIPALS[1] as Principal;
    const bob = PRINCIPALS[3] as Principal;
    const callers = [null, alice, bob].flatMap((caller) =>
      HEADERS.slice(0, 4).map((headers) => {
        const made = exchange({ headers: [...headers] }, OPTIONAL);
        made.principal = caller;
        made.idToken = caller === null ? null : { raw: 'raw', principal: caller };
        return made;
      }),
    );
    const identify = createIdentification(matches);
    const keys = new Set(
      [...callers, ...callers.toReversed()].map((made) => {
        const found = identify(made, plan({ headerLogins: LOGINS }));
        return 'code' in found ? found.code : found.key;
      }),
    );
    expect(keys.size).toBe(callers.length);
  });

  it.each<[string, Partial<IdentityPoolPlan>, readonly string[], Record<string, string>, string | null]>([
    ['the ID token', {}, [], { 'user-pool': 'raw' }, null],
    [
      'the ID token and another provider’s',
      { headerLogins: LOGINS },
      ['x-other', 'theirs'],
      { 'user-pool': 'raw', other: 'theirs' },
      null,
    ],
    [
      'a token of the service by itself, which has the others in it',
      { headerLogins: LOGINS },
      ['x-own', jwt({ sub: 'identity-1' })],
      { 'identity-pool': jwt({ sub: 'identity-1' }) },
      'identity-1',
    ],
    [
      'none where a developer provider vouches',
      { needsIdToken: false, developer: { provider: 'dev', claim: 'username' } },
      [],
      {},
      null,
    ],
  ])('is asked for with %s', (_what, pool, headers, logins, identityId) => {
    const made = exchange({ headers: [...headers] }, OPTIONAL);
    const caller = principal();
    made.principal = caller;
    made.idToken = { raw: 'raw', principal: caller };
    const found = createIdentification(matches)(made, plan(pool));
    expect(found).toHaveProperty('logins', logins);
    expect(found).toHaveProperty('identityId', identityId);
  });
});
