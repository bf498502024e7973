import { describe, expect, it } from 'vitest';
import { decide } from '../../../src/authorize/decide.ts';
import { readParameters } from '../../../src/authorize/route-index.ts';
import type { AllowConfig } from '../../../src/config/schema/rules.ts';
import type { Principal } from '../../../src/core/principal.ts';
import type { Refusal } from '../../../src/core/refusal.ts';
import { principal } from '../../support/principal.ts';
import { route } from '../../support/routes.ts';

const alice = principal({
  subject: 'alice-sub',
  groups: ['writers', 'readers'],
  scopes: ['posts/read', 'posts/write'],
  claims: {
    email: 'alice@example.com',
    email_verified: true,
    'custom:tier': 'gold',
    'custom:level': '7',
    'cognito:roles': ['arn:aws:iam::111122223333:role/writers'],
    age: 42,
    nothing: null,
    empty: '',
    none: [],
    mixed: ['a', 7, true, null, { b: 1 }],
    object: { admin: true },
  },
});
const bob = principal({
  pool: 'staff',
  subject: 'bob-sub',
  username: 'bob',
  clientId: 'cli',
  tokenUse: 'id',
});
const service = principal({ subject: 'svc', username: '', scopes: ['posts/read'] });

function judge(
  allow: AllowConfig,
  caller: Principal | null,
  template = '/',
  path = template,
): Refusal | undefined {
  const judged = route({ path: template, allow });
  return decide(judged, caller, readParameters(judged, path));
}
const verdict = (...asked: Parameters<typeof judge>): string => judge(...asked)?.code ?? 'allowed';

describe('a rule without conditions', () => {
  it.each<readonly [AllowConfig, string, string]>([
    ['public', 'allowed', 'allowed'],
    ['optional', 'allowed', 'allowed'],
    ['authenticated', 'AUTHN_TOKEN_MISSING', 'allowed'],
  ])('%s: a guest is %s, a caller is %s', (allow, guest, caller) => {
    expect(verdict(allow, null)).toBe(guest);
    expect(verdict(allow, bob)).toBe(caller);
  });
});

it.each<AllowConfig>([
  { groups: 'writers' },
  { groups: { noneOf: ['banned'] } },
  { noneOf: [{ groups: 'banned' }] },
  { claims: { anything: { present: false } } },
])('a guest never meets %j', (allow) => {
  expect(judge(allow, null)).toEqual({ kind: 'deny', code: 'AUTHN_TOKEN_MISSING' });
});

describe('groups', () => {
  it.each<readonly [AllowConfig, string, string]>([
    [{ groups: 'writers' }, 'allowed', 'AUTHZ_GROUP_REQUIRED'],
    [{ groups: 'Writers' }, 'AUTHZ_GROUP_REQUIRED', 'AUTHZ_GROUP_REQUIRED'],
    [{ groups: 'writer' }, 'AUTHZ_GROUP_REQUIRED', 'AUTHZ_GROUP_REQUIRED'],
    [{ groups: 'writers,readers' }, 'AUTHZ_GROUP_REQUIRED', 'AUTHZ_GROUP_REQUIRED'],
    [{ groups: ['admins', 'writers'] }, 'allowed', 'AUTHZ_GROUP_REQUIRED'],
    [{ groups: { anyOf: ['admins', 'readers'] } }, 'allowed', 'AUTHZ_GROUP_REQUIRED'],
    [{ groups: { allOf: ['readers', 'writers'] } }, 'allowed', 'AUTHZ_GROUP_REQUIRED'],
    [{ groups: { allOf: ['readers', 'admins'] } }, 'AUTHZ_GROUP_REQUIRED', 'AUTHZ_GROUP_REQUIRED'],
    [{ groups: { noneOf: ['banned'] } }, 'allowed', 'allowed'],
    [{ groups: { noneOf: ['banned', 'readers'] } }, 'AUTHZ_GROUP_REQUIRED', 'allowed'],
    [{ groups: { anyOf: ['writers'], noneOf: ['banned'] } }, 'allowed', 'AUTHZ_GROUP_REQUIRED'],
    [
      { groups: { anyOf: ['writers'], allOf: ['readers'], noneOf: ['writers'] } },
      'AUTHZ_GROUP_REQUIRED',
      'AUTHZ_GROUP_REQUIRED',
    ],
  ])('%j: alice is %s, bob is %s', (allow, forAlice, forBob) => {
    expect(verdict(allow, alice)).toBe(forAlice);
    expect(verdict(allow, bob)).toBe(forBob);
  });
});

describe('scopes', () => {
  it.each<readonly [AllowConfig, string, readonly string[] | undefined]>([
    [{ scopes: 'posts/read' }, 'allowed', undefined],
    [{ scopes: 'posts' }, 'AUTHZ_SCOPE_REQUIRED', ['posts']],
    [{ scopes: ['posts/write', 'posts/read'] }, 'allowed', undefined],
    [{ scopes: ['posts/write', 'admin'] }, 'AUTHZ_SCOPE_REQUIRED', ['posts/write', 'admin']],
    [{ scopes: { allOf: ['posts/read'] } }, 'allowed', undefined],
    [{ scopes: { allOf: ['posts/read', 'posts/write'] } }, 'AUTHZ_SCOPE_REQUIRED', ['posts/write']],
    [{ scopes: { noneOf: ['posts/write'] } }, 'allowed', undefined],
    // What must be absent cannot be asked for.
    [{ scopes: { noneOf: ['posts/read'] } }, 'AUTHZ_SCOPE_REQUIRED', undefined],
  ])('%j: %s, and asks for %j', (allow, expected, asked) => {
    const refusal = judge(allow, service);
    expect(refusal?.code ?? 'allowed').toBe(expected);
    expect(refusal?.scopes).toEqual(asked);
  });
});

describe('pools, clients and kinds of token', () => {
  it.each<readonly [AllowConfig, string, string]>([
    [{ userPools: 'main' }, 'allowed', 'AUTHZ_USER_POOL_MISMATCH'],
    [{ userPools: ['main', 'staff'] }, 'allowed', 'allowed'],
    [{ userPools: ['other'] }, 'AUTHZ_USER_POOL_MISMATCH', 'AUTHZ_USER_POOL_MISMATCH'],
    [{ clientIds: 'cli' }, 'AUTHZ_CLIENT_MISMATCH', 'allowed'],
    [{ clientIds: ['client', 'cli'] }, 'allowed', 'allowed'],
    [{ tokenUse: 'access' }, 'allowed', 'AUTHZ_TOKEN_USE_MISMATCH'],
    [{ tokenUse: ['access', 'id'] }, 'allowed', 'allowed'],
  ])('%j: alice is %s, bob is %s', (allow, forAlice, forBob) => {
    expect(verdict(allow, alice)).toBe(forAlice);
    expect(verdict(allow, bob)).toBe(forBob);
  });
});

describe('claims', () => {
  it.each<readonly [string, unknown, boolean]>([
    ['email_verified', true, true],
    ['email_verified', 'true', true],
    ['email_verified', false, false],
    ['email_verified', 1, false],
    ['age', 42, true],
    ['age', '42', true],
    ['age', 4, false],
    ['custom:level', 7, true],
    ['custom:tier', 'gold', true],
    ['custom:tier', 'Gold', false],
    ['custom:tier', ['silver', 'gold'], true],
    ['custom:tier', ['silver', 'bronze'], false],
    ['custom:tier', { equals: 'gold' }, true],
    ['custom:tier', { equals: 'silver' }, false],
    ['custom:tier', { not: 'silver' }, true],
    ['custom:tier', { not: 'gold' }, false],
    ['custom:tier', { not: ['silver', 'gold'] }, false],
    ['custom:tier', { startsWith: 'go' }, true],
    ['custom:tier', { startsWith: 'old' }, false],
    ['custom:tier', { contains: 'ol' }, true],
    ['custom:tier', { contains: 'x' }, false],
    ['age', { contains: 2 }, true],
    ['age', { startsWith: '4' }, true],
    ['cognito:roles', { startsWith: 'arn:aws:iam::111122223333:' }, true],
    ['cognito:roles', { startsWith: 'arn:aws:iam::999999999999:' }, false],
    // A list contains members, not parts of them.
    ['cognito:roles', { contains: 'arn:aws:iam::111122223333:role/writers' }, true],
    ['cognito:roles', { contains: 'writers' }, false],
    ['mixed', 'a', true],
    ['mixed', 7, true],
    ['mixed', true, true],
    ['mixed', 'null', false],
    ['mixed', '[object Object]', false],
    ['mixed', { not: 'a' }, false],
    ['mixed', { not: 'z' }, true],
    ['object', '[object Object]', false],
    ['object', { present: true }, true],
    ['object', { contains: 'admin' }, false],
    ['empty', '', true],
    ['empty', { present: true }, true],
    ['none', { present: true }, true],
    ['none', { not: 'x' }, true],
    // For what is missing, only `present: false` holds.
    ['missing', { present: false }, true],
    ['missing', { present: true }, false],
    ['missing', { not: 'x' }, false],
    ['missing', 'undefined', false],
    ['missing', '', false],
    ['missing', { startsWith: 'u' }, false],
    ['missing', { contains: 'u' }, false],
    ['nothing', { present: false }, true],
    ['nothing', { present: true }, false],
    ['nothing', 'null', false],
    ['nothing', { not: 'x' }, false],
    ['toString', { present: true }, false],
    ['constructor', { present: false }, true],
    // Claims that are one thing, whichever way the token says them.
    ['sub', 'alice-sub', true],
    ['username', 'alice', true],
    ['cognito:username', 'alice', true],
    ['client_id', 'client', true],
    ['token_use', 'access', true],
    ['groups', 'writers', true],
    ['cognito:groups', ['admins', 'readers'], true],
    ['cognito:groups', { not: 'writers' }, false],
    ['cognito:groups', { contains: 'writers' }, true],
    ['cognito:groups', { contains: 'writer' }, false],
    ['scopes', { contains: 'posts/read' }, true],
    ['iss', 'https://issuer.test', false],
  ])('%s: %j holds for alice: %s', (name, match, expected) => {
    const allow = { claims: { [name]: match } } as AllowConfig;
    expect(verdict(allow, alice)).toBe(expected ? 'allowed' : 'AUTHZ_CLAIM_REQUIRED');
  });

  it.each(['groups', 'cognito:groups', 'scopes', 'username', 'cognito:username'])(
    '%s that a token does not have is missing, not empty',
    (name) => {
      const nobody = principal({ username: '' });
      expect(verdict({ claims: { [name]: { present: false } } }, nobody)).toBe('allowed');
      expect(verdict({ claims: { [name]: { present: true } } }, nobody)).toBe('AUTHZ_CLAIM_REQUIRED');
      expect(verdict({ claims: { [name]: { not: 'x' } } }, nobody)).toBe('AUTHZ_CLAIM_REQUIRED');
      expect(verdict({ claims: { [name]: '' } }, nobody)).toBe('AUTHZ_CLAIM_REQUIRED');
    },
  );
});

describe('path parameters', () => {
  const user = '/users/{id}/profile';

  it.each<readonly [string, Partial<Principal>, string, string, boolean]>([
    ['{id}', { username: 'alice' }, user, '/users/alice/profile', true],
    ['{id}', { username: 'alice' }, user, '/users/Alice/profile', false],
    ['{id}', { username: 'alice' }, user, '/users/bob/profile', false],
    ['{id}', { username: 'alice' }, user, '/users/alice%20/profile', false],
    ['{id}', { username: 'a b' }, user, '/users/a%20b/profile', true],
    ['{id}', { username: 'ユーザー' }, user, '/users/%E3%83%A6%E3%83%BC%E3%82%B6%E3%83%BC/profile', true],
    ['{id}', { username: '%E3%83%A6' }, user, '/users/%E3%83%A6/profile', false],
    // The same letter, composed and decomposed: two names to Cognito, and to us.
    ['{id}', { username: 'caf\u00e9' }, user, '/users/cafe%CC%81/profile', false],
    ['{id}', { username: 'a+b' }, user, '/users/a+b/profile', true],
    ['{id}', { username: 'a b' }, user, '/users/a+b/profile', false],
    ['{id}', { username: 'a@example.com' }, user, '/users/a@example.com/profile', true],
    ['{id}', { username: 'a@example.com' }, user, '/users/a%40example.com/profile', true],
    ['{id}', { username: '' }, user, '/users/alice/profile', false],
    ['{id}', { username: '{id}' }, user, '/users/alice/profile', false],
    ['{path}', { username: 'a/b' }, '/home/{path+}', '/home/a/b', true],
    ['{path}', { username: 'a' }, '/home/{path+}', '/home/a/b', false],
    // That a rule names a parameter of its path is checked with the configuration; without one, nothing holds.
    ['{other}', { username: 'undefined' }, user, '/users/undefined/profile', false],
    ['{__proto__}', { username: '[object Object]' }, user, '/users/x/profile', false],
  ])('username: "%s" for %j on %s (%s): %s', (operand, who, template, path, expected) => {
    const allow: AllowConfig = { claims: { username: operand } };
    expect(verdict(allow, principal(who), template, path)).toBe(
      expected ? 'allowed' : 'AUTHZ_CLAIM_REQUIRED',
    );
  });

  it('may be one of several values, or must not be one', () => {
    const either: AllowConfig = { claims: { username: ['root', '{id}'] } };
    expect(verdict(either, principal({ username: 'root' }), user, '/users/x/profile')).toBe('allowed');
    expect(verdict(either, principal({ username: 'x' }), user, '/users/x/profile')).toBe('allowed');
    expect(verdict(either, principal({ username: 'y' }), user, '/users/x/profile')).toBe(
      'AUTHZ_CLAIM_REQUIRED',
    );
    const others: AllowConfig = { claims: { username: { not: '{id}' } } };
    expect(verdict(others, principal({ username: 'x' }), user, '/users/x/profile')).toBe(
      'AUTHZ_CLAIM_REQUIRED',
    );
    expect(verdict(others, principal({ username: 'y' }), user, '/users/x/profile')).toBe('allowed');
  });

  it('match any member of a claim that is a list', () => {
    const allow: AllowConfig = { claims: { 'cognito:groups': '{group}' } };
    expect(verdict(allow, alice, '/groups/{group}', '/groups/readers')).toBe('allowed');
    expect(verdict(allow, alice, '/groups/{group}', '/groups/admins')).toBe('AUTHZ_CLAIM_REQUIRED');
  });
});

describe('conditions in conditions', () => {
  const writer = { groups: 'writers' };
  const admin = { groups: 'admins' };
  const gold = { claims: { 'custom:tier': 'gold' } };
  const staff = { userPools: 'staff' };

  it.each<readonly [AllowConfig, string]>([
    [{ ...writer, ...gold }, 'allowed'],
    [{ ...admin, ...gold }, 'AUTHZ_GROUP_REQUIRED'],
    [{ anyOf: [admin, gold] }, 'allowed'],
    [{ anyOf: [admin, staff] }, 'AUTHZ_CONDITIONS_NOT_MET'],
    [{ allOf: [writer, gold] }, 'allowed'],
    // Of all that must hold, the one that does not is told.
    [{ allOf: [writer, admin] }, 'AUTHZ_GROUP_REQUIRED'],
    [{ allOf: [writer, { allOf: [gold, staff] }] }, 'AUTHZ_USER_POOL_MISMATCH'],
    [{ noneOf: [admin, staff] }, 'allowed'],
    [{ noneOf: [admin, writer] }, 'AUTHZ_CONDITIONS_NOT_MET'],
    [{ anyOf: [{ allOf: [writer, admin] }, { allOf: [writer, gold] }] }, 'allowed'],
    [{ anyOf: [{ noneOf: [writer] }, { noneOf: [gold] }] }, 'AUTHZ_CONDITIONS_NOT_MET'],
    [{ noneOf: [{ anyOf: [admin, { noneOf: [writer] }] }] }, 'allowed'],
    [{ ...writer, anyOf: [admin, gold], noneOf: [staff] }, 'allowed'],
    [{ ...writer, anyOf: [admin, gold], noneOf: [gold] }, 'AUTHZ_CONDITIONS_NOT_MET'],
    [
      {
        anyOf: [
          { ...writer, ...staff },
          { ...admin, ...gold },
        ],
      },
      'AUTHZ_CONDITIONS_NOT_MET',
    ],
  ])('%j: %s', (allow, expected) => {
    expect(verdict(allow, alice)).toBe(expected);
  });

  it('tells the most telling of several that do not hold', () => {
    const allow: AllowConfig = {
      claims: { email_verified: true },
      scopes: 'admin',
      groups: 'admins',
      tokenUse: 'access',
      clientIds: 'client',
      userPools: 'main',
    };
    expect(verdict(allow, bob)).toBe('AUTHZ_USER_POOL_MISMATCH');
    expect(verdict(allow, { ...bob, pool: 'main' })).toBe('AUTHZ_CLIENT_MISMATCH');
    expect(verdict(allow, { ...bob, pool: 'main', clientId: 'client' })).toBe('AUTHZ_TOKEN_USE_MISMATCH');
    expect(verdict(allow, service)).toBe('AUTHZ_GROUP_REQUIRED');
    expect(verdict(allow, { ...service, groups: ['admins'] })).toBe('AUTHZ_SCOPE_REQUIRED');
    expect(verdict(allow, { ...service, groups: ['admins'], scopes: ['admin'] })).toBe(
      'AUTHZ_CLAIM_REQUIRED',
    );
  });
});

describe('a refusal', () => {
  it.each<readonly [AllowConfig, string]>([
    [{ groups: ['admins', 'owners'] }, 'groups anyOf [admins, owners]'],
    [{ scopes: { allOf: ['admin'] } }, 'scopes allOf [admin]'],
    [{ userPools: 'staff' }, 'userPools [staff]'],
    [{ clientIds: 'cli' }, 'clientIds [cli]'],
    [{ tokenUse: 'id' }, 'tokenUse [id]'],
    [{ claims: { sub: '{id}' } }, 'claim sub equals {id} of the path'],
    [{ claims: { 'custom:tier': ['silver', 'bronze'] } }, 'claim custom:tier equals "silver" or "bronze"'],
    [{ claims: { 'custom:tier': { not: 'gold' } } }, 'claim custom:tier is present and not "gold"'],
    [{ claims: { missing: { present: true } } }, 'claim missing is present'],
    [{ claims: { email: { present: false } } }, 'claim email is absent'],
    [{ claims: { email: { startsWith: 'bob' } } }, 'claim email starts with "bob"'],
    [{ claims: { email: { contains: 'bob' } } }, 'claim email contains "bob"'],
    [
      { anyOf: [{ groups: 'admins' }, { userPools: 'staff' }] },
      'anyOf(groups anyOf [admins]; userPools [staff])',
    ],
    [
      { noneOf: [{ groups: 'writers', userPools: 'main' }] },
      'noneOf(allOf(userPools [main]; groups anyOf [writers]))',
    ],
  ])('by %j says for the log: %s', (allow, condition) => {
    expect(judge(allow, alice, '/users/{id}', '/users/x')).toMatchObject({ kind: 'deny', condition });
  });
});

it('is the same every time, and changes nothing', () => {
  const judged = route({ path: '/users/{id}', allow: { groups: 'admins', claims: { username: '{id}' } } });
  const frozen = principal({ groups: Object.freeze(['admins']) as string[] });
  const parameters = Object.freeze({ id: 'alice' });
  expect(decide(judged, Object.freeze(frozen), parameters)).toBeUndefined();
  expect(decide(judged, principal(), parameters)?.code).toBe('AUTHZ_GROUP_REQUIRED');
  expect(decide(judged, frozen, parameters)).toBeUndefined();
});
