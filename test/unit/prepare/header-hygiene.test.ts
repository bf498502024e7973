import { describe, expect, it } from 'vitest';
import { createHeaderFates, Fate } from '../../../src/prepare/header-hygiene.ts';

const fateOf = createHeaderFates(
  'x-cognito-',
  ['x-user', 'remote.tenant'],
  ['authorization', 'websocketProtocol', { header: 'x-token' }, { cookie: 'session' }, { query: 'token' }],
);

describe('createHeaderFates', () => {
  it.each([
    'accept',
    'content-type',
    'x-a',
    'x-cognito',
    'x-cognit-o',
    'xx-cognito-a',
    'x-users',
    'user',
    'x-forwarded',
    'x-forwardedfor',
    'x-request',
    'traceparent',
    'tracestate',
    'constructor',
    'tostring',
  ])('%s passes', (name) => {
    expect(fateOf(name)).toBe(Fate.pass);
  });

  it.each([
    'x-cognito-groups',
    'x-cognito-',
    'x_cognito_groups',
    'x.cognito.groups',
    "x'cognito`groups",
    'x-cognito_groups',
    'x!cognito#groups',
    'x-user',
    'x_user',
    'x.user',
    'remote.tenant',
    'remote-tenant',
    'remote_tenant',
  ])('%s is ours', (name) => {
    expect(fateOf(name)).toBe(Fate.drop);
  });

  it.each([
    'x-original-url',
    'x-original-uri',
    'x-rewrite-url',
    'x-http-method',
    'x-http-method-override',
    'x-method-override',
    'x.original.url',
    'x_http_method_override',
  ])('%s would overrule what was judged', (name) => {
    expect(fateOf(name)).toBe(Fate.drop);
  });

  it.each([
    'x-forwarded-for',
    'x-forwarded-proto',
    'x-forwarded-host',
    'x-forwarded-port',
    'x-forwarded-anything',
    'forwarded',
    'x-real-ip',
  ])("%s is a proxy's to say", (name) => {
    expect(fateOf(name)).toBe(Fate.forwarded);
  });

  it.each(['x.forwarded.for', 'x_forwarded_for', 'x-forwarded_for', 'x.real.ip', 'x!token', 'x_token'])(
    '%s is not what it is spelt like',
    (name) => {
      expect(fateOf(name)).toBe(Fate.drop);
    },
  );

  it.each([
    ['authorization', Fate.token],
    ['x-token', Fate.token],
    ['cookie', Fate.cookie],
    ['sec-websocket-protocol', Fate.webSocketProtocol],
  ])('%s may carry a token', (name, fate) => {
    expect(fateOf(name)).toBe(fate);
  });

  it('leaves alone what is no source of tokens', () => {
    const only = createHeaderFates('x-cognito-', [], ['authorization']);
    for (const name of ['x-token', 'cookie', 'sec-websocket-protocol']) expect(only(name)).toBe(Fate.pass);
    expect(createHeaderFates('x-cognito-', [], [{ header: 'x-token' }])('authorization')).toBe(Fate.pass);
  });

  it('takes a prefix and names in any spelling', () => {
    const odd = createHeaderFates('x.id.', ['X-User'], [{ header: 'x.token' }]);
    expect([odd('x-id-a'), odd('x.id.a'), odd('x_id_a'), odd('x-user')]).toEqual(Array(4).fill(Fate.drop));
    expect([odd('x.token'), odd('x-token')]).toEqual([Fate.token, Fate.drop]);
  });

  it('judges the same after a flood of invented names', () => {
    const fresh = createHeaderFates('x-cognito-', [], ['authorization']);
    for (let i = 0; i < 5_000; i++) fresh(`x-cognito-${i}`);
    expect([fresh('authorization'), fresh('accept'), fresh('x-cognito-1')]).toEqual([
      Fate.token,
      Fate.pass,
      Fate.drop,
    ]);
  });
});
