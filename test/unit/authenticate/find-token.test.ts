import { describe, expect, it } from 'vitest';
import { createFindToken } from '../../../src/authenticate/find-token.ts';
import type { TokenSource } from '../../../src/config/schema/server.ts';
import type { Inbound } from '../../../src/core/inbound.ts';
import { inbound } from '../../support/inbound.ts';

/** The token found, `none`, or the code of the refusal. */
function find(sources: readonly TokenSource[], request: Partial<Inbound>): string {
  const found = createFindToken(sources)(inbound(request));
  if (found === undefined) return 'none';
  return 'code' in found ? found.code : found.token;
}

const WEB_SOCKET = { upgrade: true };

interface Row {
  readonly when: string;
  readonly headers?: readonly string[];
  readonly query?: string | null;
  readonly upgrade?: boolean;
  readonly expected: string;
}

const authorization: Row[] = [
  { when: 'it is not there', headers: ['accept', '*/*'], expected: 'none' },
  { when: 'it is empty', headers: ['authorization', ''], expected: 'none' },
  { when: 'it has the scheme', headers: ['authorization', 'Bearer a.b.c'], expected: 'a.b.c' },
  { when: 'the scheme is in another case', headers: ['authorization', 'bEARER a.b.c'], expected: 'a.b.c' },
  { when: 'more spaces follow the scheme', headers: ['authorization', 'Bearer   a.b.c'], expected: 'a.b.c' },
  { when: 'the token is bare', headers: ['authorization', 'a.b.c'], expected: 'a.b.c' },
  { when: 'only the scheme is there', headers: ['authorization', 'Bearer'], expected: 'Bearer' },
  {
    when: 'another scheme is there',
    headers: ['authorization', 'Basic YWxpY2U6c2VjcmV0'],
    expected: 'AUTHN_SCHEME_UNSUPPORTED',
  },
  {
    when: 'another scheme begins alike',
    headers: ['authorization', 'Bearerx a.b.c'],
    expected: 'AUTHN_SCHEME_UNSUPPORTED',
  },
  {
    when: 'it is signed for AWS',
    headers: ['authorization', 'AWS4-HMAC-SHA256 Credential=x'],
    expected: 'AUTHN_SCHEME_UNSUPPORTED',
  },
  {
    when: 'it begins with a space',
    headers: ['authorization', ' a.b.c'],
    expected: 'AUTHN_SCHEME_UNSUPPORTED',
  },
  {
    when: 'a tab follows the scheme',
    headers: ['authorization', 'Bearer\ta.b.c'],
    expected: 'Bearer\ta.b.c',
  },
  {
    when: 'a no-break space is around the token',
    headers: ['authorization', 'Bearer \u00a0a.b.c\u00a0'],
    expected: '\u00a0a.b.c\u00a0',
  },
  { when: 'there are two tokens', headers: ['authorization', 'Bearer a b'], expected: 'a b' },
  { when: 'the token is in the query', query: 'access_token=a.b.c', expected: 'none' },
];

const header: Row[] = [
  { when: 'it is not there', headers: ['authorization', 'a.b.c'], expected: 'none' },
  { when: 'it is empty', headers: ['x-token', ''], expected: 'none' },
  { when: 'the token is bare', headers: ['x-token', 'a.b.c'], expected: 'a.b.c' },
  { when: 'it has the scheme', headers: ['x-token', 'bearer a.b.c'], expected: 'a.b.c' },
  { when: 'it has another scheme', headers: ['x-token', 'Basic a.b.c'], expected: 'Basic a.b.c' },
  { when: 'it is there twice', headers: ['x-token', 'a', 'x-token', 'b'], expected: 'AUTHN_TOKEN_DUPLICATE' },
  {
    when: 'it is there twice with one token',
    headers: ['x-token', 'a', 'x-token', 'a'],
    expected: 'AUTHN_TOKEN_DUPLICATE',
  },
  {
    when: 'it is there twice, once empty',
    headers: ['x-token', '', 'x-token', 'a'],
    expected: 'AUTHN_TOKEN_DUPLICATE',
  },
];

const cookie: Row[] = [
  { when: 'there is no cookie', expected: 'none' },
  { when: 'there are others', headers: ['cookie', 'session=1; sessiontoken=2; token2=3'], expected: 'none' },
  { when: 'it is the only one', headers: ['cookie', 'token=a.b.c'], expected: 'a.b.c' },
  { when: 'it is among others', headers: ['cookie', 'x=1;token=a.b.c ; y=2'], expected: 'a.b.c' },
  {
    when: 'it is in the second header line',
    headers: ['cookie', 'x=1', 'cookie', 'token=a.b.c'],
    expected: 'a.b.c',
  },
  { when: 'its name is in another case', headers: ['cookie', 'Token=a.b.c'], expected: 'none' },
  { when: 'it is empty', headers: ['cookie', 'token='], expected: 'none' },
  { when: 'its name stands alone', headers: ['cookie', 'token; x=1'], expected: 'none' },
  { when: 'its value has an equals sign', headers: ['cookie', 'token=a=b'], expected: 'a=b' },
  { when: 'its value is in quotes', headers: ['cookie', 'token="a"'], expected: '"a"' },
  { when: 'it is there twice', headers: ['cookie', 'token=a; token=b'], expected: 'AUTHN_TOKEN_DUPLICATE' },
  {
    when: 'it is there twice, once empty',
    headers: ['cookie', 'token=; token=b'],
    expected: 'AUTHN_TOKEN_DUPLICATE',
  },
  {
    when: 'it is in two header lines',
    headers: ['cookie', 'token=a', 'cookie', 'token=a'],
    expected: 'AUTHN_TOKEN_DUPLICATE',
  },
];

const query: Row[] = [
  { when: 'there is no query', expected: 'none' },
  { when: 'there are others', query: 'token2=a&xtoken=b', expected: 'none' },
  { when: 'it is there', query: 'x=1&token=a.b.c', expected: 'a.b.c' },
  { when: 'it is percent-encoded', query: 'x=1&t%6Fken=a%2Eb.c', expected: 'a.b.c' },
  { when: 'it is empty', query: 'token=', expected: 'none' },
  { when: 'its name stands alone', query: 'token&x=1', expected: 'none' },
  { when: 'it is there twice', query: 'token=a&token=b', expected: 'AUTHN_TOKEN_DUPLICATE' },
  { when: 'it is there twice, once encoded', query: 'token=a&%74oken=a', expected: 'AUTHN_TOKEN_DUPLICATE' },
  { when: 'its name is in another case', query: 'Token=a', expected: 'none' },
];

const offer = (...lines: readonly string[]): string[] =>
  lines.flatMap((line) => ['sec-websocket-protocol', line]);

const webSocketProtocol: Row[] = [
  { when: 'nothing is offered', ...WEB_SOCKET, expected: 'none' },
  {
    when: 'other protocols are offered',
    ...WEB_SOCKET,
    headers: offer('chat, graphql-ws'),
    expected: 'none',
  },
  { when: 'it is offered', ...WEB_SOCKET, headers: offer('bearer, a.b.c'), expected: 'a.b.c' },
  {
    when: 'it is offered among others',
    ...WEB_SOCKET,
    headers: offer('chat,bearer,a.b.c ,x'),
    expected: 'a.b.c',
  },
  {
    when: 'it is offered in a line of its own',
    ...WEB_SOCKET,
    headers: offer('chat', 'bearer, a.b.c'),
    expected: 'a.b.c',
  },
  {
    when: 'the token is in the next line',
    ...WEB_SOCKET,
    headers: offer('chat, bearer', 'a.b.c'),
    expected: 'none',
  },
  { when: 'nothing follows the word', ...WEB_SOCKET, headers: offer('bearer'), expected: 'none' },
  { when: 'nothing but a comma follows it', ...WEB_SOCKET, headers: offer('bearer,'), expected: 'none' },
  { when: 'the word is in another case', ...WEB_SOCKET, headers: offer('Bearer, a.b.c'), expected: 'none' },
  {
    when: 'it is offered twice',
    ...WEB_SOCKET,
    headers: offer('bearer, a, bearer, b'),
    expected: 'AUTHN_TOKEN_DUPLICATE',
  },
  {
    when: 'it is offered in two lines',
    ...WEB_SOCKET,
    headers: offer('bearer, a', 'bearer, a'),
    expected: 'AUTHN_TOKEN_DUPLICATE',
  },
  { when: 'no WebSocket is asked for', headers: offer('bearer, a.b.c'), expected: 'none' },
];

describe.each<readonly [string, TokenSource, readonly Row[]]>([
  ['the Authorization header', 'authorization', authorization],
  ['another header', { header: 'x-token' }, header],
  ['a cookie', { cookie: 'token' }, cookie],
  ['the query', { query: 'token' }, query],
  ['the WebSocket protocols', 'websocketProtocol', webSocketProtocol],
])('a token in %s', (_, source, rows) => {
  it.each(rows)('when $when: $expected', ({ when: _when, expected, headers = [], ...request }) => {
    expect(find([source], { ...request, headers: [...headers] })).toBe(expected);
  });
});

describe('several sources', () => {
  const all: TokenSource[] = [
    'authorization',
    { header: 'x-token' },
    { cookie: 'token' },
    { query: 'token' },
    'websocketProtocol',
  ];
  const places: Readonly<Record<string, Partial<Inbound>>> = {
    authorization: { headers: ['authorization', 'Bearer t'] },
    header: { headers: ['x-token', 't'] },
    cookie: { headers: ['cookie', 'token=t'] },
    query: { query: 'token=t' },
    webSocketProtocol: { headers: offer('bearer, t') },
  };
  const names = Object.keys(places);
  const merge = (a: Partial<Inbound>, b: Partial<Inbound>): Partial<Inbound> => ({
    upgrade: true,
    headers: [...(a.headers ?? []), ...(b.headers ?? [])],
    query: a.query ?? b.query ?? null,
  });

  it.each(names)('find the token in the %s', (name) => {
    expect(find(all, merge(places[name] ?? {}, {}))).toBe('t');
    expect(find([...all].reverse(), merge(places[name] ?? {}, {}))).toBe('t');
  });

  it.each(names.flatMap((a, i) => names.slice(i + 1).map((b) => [a, b] as const)))(
    'refuse a token in the %s and in the %s, though it is the same',
    (a, b) => {
      expect(find(all, merge(places[a] ?? {}, places[b] ?? {}))).toBe('AUTHN_TOKEN_DUPLICATE');
      expect(find([...all].reverse(), merge(places[a] ?? {}, places[b] ?? {}))).toBe('AUTHN_TOKEN_DUPLICATE');
    },
  );

  it('look at none that is not configured', () => {
    expect(
      find(['authorization', { cookie: 'token' }], merge(places['header'] ?? {}, places['query'] ?? {})),
    ).toBe('none');
  });

  it('refuse another scheme even beside a token', () => {
    const request = { headers: ['authorization', 'Basic x', 'x-token', 't'] };
    expect(find(['authorization', { header: 'x-token' }], request)).toBe('AUTHN_SCHEME_UNSUPPORTED');
    expect(find([{ header: 'x-token' }, 'authorization'], request)).toBe('AUTHN_SCHEME_UNSUPPORTED');
  });

  it('count an empty place as none', () => {
    const request = { headers: ['authorization', '', 'cookie', 'token=', 'x-token', 't'], query: 'token=' };
    expect(find(all, request)).toBe('t');
  });
});

it('says which tokens came from a cookie', () => {
  const findToken = createFindToken(['authorization', { cookie: 'token' }]);
  expect(findToken(inbound({ headers: ['cookie', 'token=t'] }))).toEqual({ token: 't', fromCookie: true });
  expect(findToken(inbound({ headers: ['authorization', 't'] }))).toEqual({ token: 't', fromCookie: false });
});
