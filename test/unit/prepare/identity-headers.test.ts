import { describe, expect, it } from 'vitest';
import { createIdentityHeaders, headerText } from '../../../src/prepare/identity-headers.ts';
import { principal } from '../../support/principal.ts';

describe('headerText', () => {
  it.each<readonly [unknown, string]>([
    [undefined, ''],
    [null, ''],
    ['', ''],
    [[], ''],
    [[''], ''],
    ['alice', 'alice'],
    ['a b', 'a b'],
    ['a,b', 'a,b'],
    ['!"#$&\'()*+-./:;<=>?@[\\]^_`{|}~', '!"#$&\'()*+-./:;<=>?@[\\]^_`{|}~'],
    ['100%', '100%25'],
    ['%41', '%2541'],
    [' a', '%20a'],
    ['a ', 'a%20'],
    [' a b ', '%20a b%20'],
    [' ', '%20'],
    ['  ', '%20%20'],
    ['a\tb', 'a%09b'],
    ['a\r\nX-Admin: 1', 'a%0D%0AX-Admin: 1'],
    ['a\0b', 'a%00b'],
    ['\u007f', '%7F'],
    ['\u0085', '%C2%85'],
    ['é', '%C3%A9'],
    ['ユーザー', '%E3%83%A6%E3%83%BC%E3%82%B6%E3%83%BC'],
    ['사용자', '%EC%82%AC%EC%9A%A9%EC%9E%90'],
    ['😀', '%F0%9F%98%80'],
    ['\ud83d', '%EF%BF%BD'],
    ['a\ud83d\ud83d\ude00', 'a%EF%BF%BD%F0%9F%98%80'],
    [true, 'true'],
    [0, '0'],
    [1.5, '1.5'],
    [['a', 'b'], 'a,b'],
    [['a,b', 'c'], 'a%2Cb,c'],
    [['a', ''], 'a,'],
    [['管理,者', ' x'], '%E7%AE%A1%E7%90%86%2C%E8%80%85,%20x'],
    [['a\r\nb'], 'a%0D%0Ab'],
    [[1, true, null], '1,true,null'],
    [{ a: 1 }, '{"a":1}'],
    [{ a: 'é\n' }, '{"a":"%C3%A9\\n"}'],
    [[{ a: 1, b: 2 }], '{"a":1%2C"b":2}'],
    [[['a', 'b'], 'c'], '["a"%2C"b"],c'],
  ])('%j is %j', (claim, text) => {
    expect(headerText(claim)).toBe(text);
  });

  it('is always a value that a header can have, and decodes to what it was', () => {
    for (let code = 0; code < 0x3000; code++) {
      const character = String.fromCodePoint(code);
      for (const claim of [character, `a${character}`, `${character}a`, character.repeat(3)]) {
        const text = headerText(claim);
        expect(text).toMatch(/^[!-~](?:[ -~]*[!-~])?$/);
        expect(decodeURIComponent(text)).toBe(claim);
      }
    }
  });

  it('keeps lists apart that differ', () => {
    const lists = [['a,b'], ['a', 'b'], ['a%2Cb'], ['a', '', 'b'], ['a b'], ['a ', 'b'], ['a', ' b']];
    expect(new Set(lists.map(headerText)).size).toBe(lists.length);
  });
});

describe('createIdentityHeaders', () => {
  const identityHeaders = createIdentityHeaders({
    'x-cognito-sub': 'sub',
    'x-cognito-username': 'username',
    'x-cognito-groups': 'groups',
    'x-cognito-scopes': 'scopes',
    'x-cognito-client': 'client_id',
    'x-cognito-token-use': 'token_use',
    'x-tenant': 'custom:tenant',
    'x-inherited': 'toString',
  });

  it('tells who the caller is, in the order of the configuration', () => {
    const caller = principal({
      subject: 'id',
      username: 'ユーザー',
      groups: ['a', 'b,c'],
      scopes: ['x/read', 'x/write'],
      clientId: 'client',
      tokenUse: 'id',
      claims: { 'custom:tenant': 'acme' },
    });
    expect(identityHeaders(caller)).toEqual([
      'x-cognito-sub',
      'id',
      'x-cognito-username',
      '%E3%83%A6%E3%83%BC%E3%82%B6%E3%83%BC',
      'x-cognito-groups',
      'a,b%2Cc',
      'x-cognito-scopes',
      'x/read,x/write',
      'x-cognito-client',
      'client',
      'x-cognito-token-use',
      'id',
      'x-tenant',
      'acme',
    ]);
  });

  it('leaves out what the token does not say', () => {
    const machine = principal({ username: '', groups: [], scopes: [], claims: {} });
    const names = identityHeaders(machine).filter((_, i) => i % 2 === 0);
    expect(names).toEqual(['x-cognito-sub', 'x-cognito-client', 'x-cognito-token-use']);
  });

  it('is made once for each principal', () => {
    const [one, other] = [principal({ subject: 'a' }), principal({ subject: 'b' })];
    expect(identityHeaders(one)).toBe(identityHeaders(one));
    expect(identityHeaders(one)).not.toEqual(identityHeaders(other));
  });
});
