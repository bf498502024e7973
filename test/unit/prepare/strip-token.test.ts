import { describe, expect, it } from 'vitest';
import { createTokenStripper } from '../../../src/prepare/strip-token.ts';

const strip = createTokenStripper([
  'authorization',
  { cookie: 'session' },
  { cookie: '__Host-token' },
  { query: 'token' },
  { query: 'access.token' },
]);

describe('cookie', () => {
  it.each([
    ['session=x', ''],
    ['a=1', 'a=1'],
    ['a=1; session=x', 'a=1'],
    ['session=x; a=1', 'a=1'],
    ['a=1; session=x; b=2', 'a=1; b=2'],
    ['a=1;session=x;b=2', 'a=1;b=2'],
    ['session=x; session=y', ''],
    [' session = x ; a=1', 'a=1'],
    ['session', ''],
    ['session=', ''],
    ['session=a=b', ''],
    ['SESSION=x', 'SESSION=x'],
    ['sessions=x; xsession=y', 'sessions=x; xsession=y'],
    ['__Host-token=x; a=session', 'a=session'],
    ['a="x; session=y"', 'a="x'],
    ['', ''],
    [';;', ';;'],
  ])('%j leaves %j', (value, rest) => {
    expect(strip.cookie(value)).toBe(rest);
  });
});

describe('query', () => {
  it.each([
    [null, null],
    ['', ''],
    ['token=x', null],
    ['a=1', 'a=1'],
    ['a=1&token=x', 'a=1'],
    ['token=x&a=1', 'a=1'],
    ['a=1&token=x&b=2', 'a=1&b=2'],
    ['token=x&token=y', null],
    ['token', null],
    ['token=', null],
    ['%74oken=x&a=%2F', 'a=%2F'],
    ['access.token=x&access%2Etoken=y&a', 'a'],
    ['Token=x', 'Token=x'],
    ['tokens=x&a=token', 'tokens=x&a=token'],
    ['a=1&&b=%zz', 'a=1&&b=%zz'],
    ['a=b?token=x', 'a=b?token=x'],
    ['a=1;token=x', 'a=1;token=x'],
    ['__proto__=1&token=x', '__proto__=1'],
  ])('%j leaves %j', (query, rest) => {
    expect(strip.query(query)).toBe(rest);
  });

  it('is not looked at where no parameter carries tokens', () => {
    expect(createTokenStripper(['authorization']).query('token=x&&')).toBe('token=x&&');
  });
});

describe('webSocketProtocol', () => {
  it.each([
    ['bearer, x', ''],
    ['bearer,x', ''],
    ['chat, bearer, x', 'chat'],
    ['bearer, x, chat', 'chat'],
    ['chat, bearer, x, log', 'chat, log'],
    ['bearer', ''],
    ['chat', 'chat'],
    ['chat,log', 'chat, log'],
    ['bearers, x', 'bearers, x'],
    ['bearer, x, bearer, y', ''],
    ['bearer, x, chat, bearer, y, log', 'chat, log'],
    ['bearer, bearer, x', ''],
    ['', ''],
  ])('%j leaves %j', (value, rest) => {
    expect(strip.webSocketProtocol(value)).toBe(rest);
  });
});
