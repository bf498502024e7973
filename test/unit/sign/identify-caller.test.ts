import { describe, expect, it } from 'vitest';
import type { Exchange } from '../../../src/core/exchange.ts';
import type { Principal } from '../../../src/core/principal.ts';
import type { IdentityPoolPlan, SigningPlan } from '../../../src/core/signing.ts';
import { createIdentification } from '../../../src/sign/identify-caller.ts';
import { exchange } from '../../support/exchange.ts';
import { principal } from '../../support/principal.ts';

const ADMINS = 'arn:aws:iam::111122223333:role/admins';
const USERS = 'arn:aws:iam::111122223333:role/users';

const POOL: IdentityPoolPlan = {
  kind: 'identityPool',
  name: 'identities',
  userPool: 'main',
  provider: 'cognito-idp.test/pool',
  ownProvider: 'cognito-identity.amazonaws.com',
  flow: 'enhanced',
  roleArn: null,
  guest: false,
  needsIdToken: true,
  headerLogins: [{ provider: 'other.test', header: 'x-other-token' }],
  developer: null,
};

function plan(roleArn: string, changes: Partial<SigningPlan> = {}): SigningPlan {
  return {
    ...{ service: 'execute-api', region: 'us-east-1', s3: false, payload: 'hash', source: POOL },
    ...{ roles: [], roleArn, ...changes },
  };
}

const idToken = (...roles: readonly string[]): Principal =>
  principal({ tokenUse: 'id', claims: { 'cognito:roles': roles } });

/** A request of a caller, who sends an access token with an ID token. */
function request(caller: Principal, token: Principal, headers: string[] = []): Exchange {
  const made = exchange({ headers });
  made.principal = caller;
  made.idToken = { raw: 'raw', principal: token };
  return made;
}

/** Says who callers are, and how often a role was chosen by a rule. */
function setUp() {
  const asked: string[] = [];
  const identify = createIdentification((_condition, { username }) => {
    asked.push(username);
    return username === 'admin';
  });
  return { asked, identify };
}

const BY_RULE = plan(USERS, {
  roles: [{ when: { kind: 'groups', quantifier: 'anyOf', values: ['admins'] }, roleArn: ADMINS }],
});

describe('whose credentials a request is signed with', () => {
  it('is found once for each caller', () => {
    const { asked, identify } = setUp();
    const admin = principal({ username: 'admin', subject: 'a' });
    const user = principal({ username: 'user', subject: 'b' });
    const token = idToken(ADMINS, USERS);
    const seen = [admin, user, admin, user].map((caller) => identify(request(caller, token), BY_RULE));
    expect(seen).toMatchObject([ADMINS, USERS, ADMINS, USERS].map((roleArn) => ({ roleArn })));
    expect([seen[0], seen[1]]).toEqual([seen[2], seen[3]]);
    expect(asked).toEqual(['admin', 'user']);
  });

  it('carries the token that came with the request', () => {
    const { identify } = setUp();
    const caller = principal();
    const token = idToken(USERS);
    const first = request(caller, token);
    const second = request(caller, token);
    second.idToken = { raw: 'sent anew', principal: token };
    const logins = [first, second].map((made) => identify(made, plan(USERS)));
    expect(logins).toMatchObject(['raw', 'sent anew'].map((raw) => ({ logins: { [POOL.provider]: raw } })));
  });

  const caller = principal({ subject: 'one' });
  const token = idToken(USERS, ADMINS);
  const OTHER = ['x-other-token', 'opaque'];
  it.each<[string, Exchange, SigningPlan, object]>([
    ['another upstream', request(caller, token), plan(ADMINS), { roleArn: ADMINS }],
    ['another ID token', request(caller, idToken(ADMINS)), plan(USERS), { code: 'SIGN_ROLE_DENIED' }],
    [
      'another provider’s token',
      request(caller, token, OTHER),
      plan(USERS),
      { roleArn: USERS, logins: { 'other.test': 'opaque' } },
    ],
    ['another caller', request(principal({ subject: 'two' }), token), plan(USERS), { roleArn: USERS }],
  ])('is not what was found before for %s', (_what, other, otherPlan, expected) => {
    const { identify } = setUp();
    const first = identify(request(caller, token), plan(USERS));
    const found = identify(other, otherPlan);
    expect(found).toMatchObject(expected);
    if ('key' in found) expect(found.key).not.toBe((first as typeof found).key);
    expect(identify(request(caller, token), plan(USERS))).toEqual(first);
  });

  it('is no refusal of before', () => {
    const { identify } = setUp();
    const same = plan(USERS);
    expect(identify(request(caller, idToken()), same)).toHaveProperty('code', 'SIGN_ROLE_DENIED');
    expect(identify(request(caller, token), same)).toHaveProperty('roleArn', USERS);
    expect(identify(request(caller, idToken()), same)).toHaveProperty('code', 'SIGN_ROLE_DENIED');
  });
});
