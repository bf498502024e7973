import { describe, expect, it } from 'vitest';
import { makeSampleTokens, type NamesAsked, namesAskedBy } from '../../../src/dev/sample-callers.ts';
import { configOf } from '../../support/config-text.ts';

const NOW = 1_800_000_000;
const ISSUER = 'http://127.0.0.1:9229/us-east-1_Test';
const ROLE = 'arn:aws:iam::111122223333:role/editors';
const ASKED = { groups: ['editors'], scopes: ['posts/read', 'posts/write'], roles: [ROLE] };

function tokensOf(pool: string, asked: NamesAsked = ASKED, withIdTokens = false) {
  const config = configOf(`userPools: { main: ${pool} }`);
  const { main } = config.userPools;
  if (main === undefined) throw new Error('no pool');
  return Object.fromEntries(
    makeSampleTokens(main, ISSUER, asked, NOW, withIdTokens).map(({ name, claims }) => [
      name,
      claims as Record<string, unknown>,
    ]),
  );
}

describe('namesAskedBy', () => {
  it('finds what rules demand, however deep, and not what they forbid', () => {
    const config = configOf(`
      routes:
        - { id: a, match: { path: /a }, allow: { groups: one }, upstream: board }
        - { id: b, match: { path: /b }, allow: { groups: [one, two], scopes: { allOf: [x/1] } }, upstream: board }
        - { id: c, match: { path: /c }, allow: optional, upstream: signed }
        - id: d
          match: { path: /d }
          allow:
            anyOf:
              - groups: { anyOf: [three], allOf: [four], noneOf: [suspended] }
              - allOf: [{ scopes: [x/2, x/1] }]
            noneOf: [{ groups: [banned] }]
          upstream: board
      upstreams:
        board: { url: http://board.internal }
        signed:
          url: https://abc123.execute-api.us-east-1.amazonaws.com
          sign:
            credentials: { source: default }
            roleArn: arn:aws:iam::111122223333:role/everybody
            roles: [{ when: { groups: five }, roleArn: "arn:aws:iam::111122223333:role/five" }]
    `);
    expect(namesAskedBy(config)).toEqual({
      groups: ['one', 'two', 'three', 'four', 'five'],
      scopes: ['x/1', 'x/2'],
      roles: ['arn:aws:iam::111122223333:role/five', 'arn:aws:iam::111122223333:role/everybody'],
    });
  });
});

describe('makeSampleTokens', () => {
  it('makes two users by the first client, and a machine that is the last', () => {
    const { alice, bob, machine } = tokensOf('{ userPoolId: us-east-1_Test, clientIds: [app, job] }');
    const times = { iss: ISSUER, auth_time: NOW, iat: NOW, exp: NOW + 86_400 };
    const user = { ...times, token_use: 'access', client_id: 'app', scope: 'aws.cognito.signin.user.admin' };
    expect(alice).toMatchObject({ ...user, sub: 'alice', username: 'alice', 'cognito:groups': ['editors'] });
    expect(bob).toMatchObject({ ...user, sub: 'bob', username: 'bob' });
    expect(bob).not.toHaveProperty('cognito:groups');
    expect(machine).toMatchObject({
      ...times,
      sub: 'job',
      client_id: 'job',
      scope: 'posts/read posts/write',
    });
    expect(machine).not.toHaveProperty('username');
  });

  it('makes ID tokens where a pool takes no other, and none of them for machines', () => {
    const callers = tokensOf('{ userPoolId: us-east-1_Test, clientIds: null, tokenUse: [id] }');
    expect(Object.keys(callers)).toEqual(['alice', 'bob']);
    expect(callers['alice']).toMatchObject({
      token_use: 'id',
      aud: 'any-client',
      'cognito:username': 'alice',
      email: 'alice@example.com',
    });
  });

  it('makes ID tokens of the same sign-in beside access tokens, where they are exchanged', () => {
    const pool = '{ userPoolId: us-east-1_Test, clientIds: [app], tokenUse: [access, id] }';
    const tokens = tokensOf(pool, ASKED, true);
    expect(Object.keys(tokens)).toEqual(['alice', 'alice_id', 'bob', 'bob_id', 'machine']);
    expect(tokens['alice_id']).toMatchObject({
      sub: 'alice',
      iss: ISSUER,
      aud: 'app',
      token_use: 'id',
      'cognito:roles': [ROLE],
    });
  });

  it('makes no machine where no scope is asked for', () => {
    const pool = '{ userPoolId: us-east-1_Test, clientIds: [app] }';
    expect(Object.keys(tokensOf(pool, { groups: [], scopes: [], roles: [] }))).toEqual(['alice', 'bob']);
  });
});
