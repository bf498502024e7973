import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { Exchange } from '../../../src/core/exchange.ts';
import { deny } from '../../../src/core/refusal.ts';
import { createCanonicalizeStage } from '../../../src/listen/canonicalize.ts';

interface Sent {
  readonly method?: string;
  readonly url?: string;
  /** Without Host, unless it is here. */
  readonly headers?: readonly string[];
  readonly version?: readonly [number, number];
  readonly upgrade?: boolean;
  readonly peer?: string;
}

const stage = createCanonicalizeStage({
  scheme: 'http',
  trustedProxies: ['10.0.0.0/8'],
  headerBytes: 200,
  headerCount: 1_000,
  urlBytes: 50,
});

const HOST = ['Host', 'x'];

function canonicalize(sent: Sent): { exchange: Exchange; verdict: unknown } {
  const socket = new Socket();
  Object.defineProperty(socket, 'remoteAddress', { value: sent.peer ?? '192.0.2.1' });
  const request = new IncomingMessage(socket);
  request.method = sent.method ?? 'GET';
  request.url = sent.url ?? '/';
  request.rawHeaders = [...(sent.headers ?? HOST)];
  [request.httpVersionMajor, request.httpVersionMinor] = sent.version ?? [1, 1];
  const tunnel = sent.upgrade ? { socket, head: Buffer.alloc(0) } : null;
  const runner = { refuse: () => undefined, retry: () => undefined };
  const exchange = new Exchange(request, new ServerResponse(request), tunnel, 0, false, runner);
  return { exchange, verdict: stage.run(exchange) };
}

describe('the canonical request', () => {
  it('has all parts, and each once', () => {
    const { exchange, verdict } = canonicalize({
      method: 'POST',
      url: '/%61?b=c',
      headers: ['Host', 'API.example.com:80', 'X-A', '1', 'Content-Length', '12', 'x-a', '2', 'X_B', '3'],
    });
    expect(verdict).toBeUndefined();
    expect(exchange.inbound).toEqual({
      method: 'POST',
      scheme: 'http',
      host: 'api.example.com',
      authority: 'API.example.com:80',
      path: '/a',
      irregular: 0,
      query: 'b=c',
      headers: ['x-a', '1', 'x-a', '2'],
      contentLength: 12,
      upgrade: false,
      peer: '192.0.2.1',
      trustedPeer: false,
    });
  });

  it.each([
    [[], 0],
    [['Content-Length', '0'], 0],
    [['Content-Length', '9007199254740991'], 9007199254740991],
    [['Transfer-Encoding', 'chunked'], -1],
    [['Transfer-Encoding', 'CHUNKED'], -1],
  ])('with %j has the length %d', (headers, length) => {
    expect(canonicalize({ headers: [...HOST, ...headers] }).exchange.inbound?.contentLength).toBe(length);
  });

  it.each([
    ['nothing special', ['X-A', '1', 'Accept', '2'], ['x-a', '1', 'accept', '2']],
    ['hop-by-hop headers', ['Connection', 'close', 'Keep-Alive', 'x', 'Upgrade', 'x', 'Proxy', 'x'], []],
    ['what Connection names', ['X-A', '1', 'Connection', 'X-A , close', 'X-B', '2'], ['x-b', '2']],
    ['what two Connections name', ['X-A', '1', 'Connection', 'x-a', 'Connection', ',X-B', 'X-B', '2'], []],
    ['TE, reduced to trailers', ['TE', 'gzip;q=1, trailers', 'Connection', 'te'], ['te', 'trailers']],
    ['several TE', ['TE', 'trailers', 'TE', 'gzip', 'te', 'Trailers'], ['te', 'trailers']],
    ['TE without trailers', ['TE', 'gzip'], []],
    ['names with underscores', ['X_A', '1', 'X-A_', '2'], []],
    ['values as they are', ['X-A', '\xe4 \t b'], ['x-a', '\xe4 \t b']],
    ['one Authorization', ['AUTHORIZATION', 'x'], ['authorization', 'x']],
    ['an expectation that can be met', ['Expect', '100-Continue'], []],
    ['names that JavaScript knows', ['constructor', '1', '__proto__', '2'], ['constructor', '1']],
  ])('keeps of %s what is end-to-end', (_, headers, kept) => {
    expect(canonicalize({ headers: [...HOST, ...headers] }).exchange.inbound?.headers).toEqual(kept);
  });

  it.each([
    ['192.0.2.1', '192.0.2.1', false],
    ['10.9.8.7', '10.9.8.7', true],
    ['::ffff:10.9.8.7', '10.9.8.7', true],
    ['::1', '::1', false],
  ])('knows its peer %s', (peer, address, trusted) => {
    expect(canonicalize({ peer }).exchange.inbound).toMatchObject({ peer: address, trustedPeer: trusted });
  });

  it('is the same for an upgrade, but for saying so', () => {
    const ordinary = canonicalize({ url: '/a' }).exchange.inbound;
    expect(canonicalize({ url: '/a', upgrade: true }).exchange.inbound).toEqual({
      ...ordinary,
      upgrade: true,
    });
  });

  it('has no host without a Host header, in HTTP/1.0 alone', () => {
    expect(canonicalize({ version: [1, 0], headers: [] }).exchange.inbound).toMatchObject({
      host: '',
      authority: '',
    });
  });
});

describe('the request id', () => {
  const idOf = (...values: string[]): string =>
    canonicalize({ headers: [...HOST, ...values.flatMap((value) => ['X-Request-Id', value])] }).exchange
      .requestId;

  it.each(['a', 'A-1._~+/=:@', '0'.repeat(128), '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'])(
    'is kept when it is sane: %s',
    (id) => {
      expect(idOf(id)).toBe(id);
    },
  );

  it.each([
    '',
    ' ',
    'a b',
    'a\tb',
    'a,b',
    '"a"',
    'a;b',
    '{}',
    'a\u0085',
    '\xe4',
    '0'.repeat(129),
    '<a>',
    'a%0a',
  ])('is replaced when it is not: %j', (id) => {
    expect(idOf(id)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('is the first sane one of several', () => {
    expect(idOf('a b', 'c', 'd')).toBe('c');
  });

  it('goes onto the answer, whatever comes of the request', () => {
    for (const sent of [{}, { url: '*' }, { headers: [] }, { url: '/..' }, { url: `/${'a'.repeat(60)}` }]) {
      const { exchange } = canonicalize(sent);
      expect(exchange.answerHeaders).toEqual(['x-request-id', exchange.requestId]);
      expect(exchange.requestId).not.toBe('');
    }
  });
});

describe('refused', () => {
  it.each<readonly [string, Sent, Parameters<typeof deny>[0]]>([
    ['a target that is too long', { url: `/${'a'.repeat(50)}` }, 'LIMIT_URL'],
    ['headers that are too large', { headers: [...HOST, 'X-A', 'a'.repeat(200)] }, 'LIMIT_HEADERS'],
    ['many small headers', { headers: [...HOST, ...Array<string>(80).fill('a')] }, 'LIMIT_HEADERS'],
    ['HTTP/0.9', { version: [0, 9] }, 'REQUEST_MALFORMED'],
    ['HTTP/2.0', { version: [2, 0] }, 'REQUEST_MALFORMED'],
    ['CONNECT', { method: 'CONNECT', url: 'a:1' }, 'REQUEST_METHOD_UNSUPPORTED'],
    ['two hosts', { headers: [...HOST, ...HOST] }, 'REQUEST_HOST_INVALID'],
    ['two hosts, one empty', { headers: ['Host', '', ...HOST] }, 'REQUEST_HOST_INVALID'],
    ['no host', { headers: [] }, 'REQUEST_HOST_INVALID'],
    ['an empty host', { headers: ['Host', ''] }, 'REQUEST_HOST_INVALID'],
    ['a host with a user', { headers: ['Host', 'a@b'] }, 'REQUEST_HOST_INVALID'],
    [
      'two Authorizations',
      { headers: [...HOST, 'Authorization', 'a', 'authorization', 'a'] },
      'REQUEST_HEADER_DUPLICATE',
    ],
    ['another expectation', { headers: [...HOST, 'Expect', 'x'] }, 'REQUEST_EXPECTATION_FAILED'],
    [
      'two expectations in one',
      { headers: [...HOST, 'Expect', '100-continue, x'] },
      'REQUEST_EXPECTATION_FAILED',
    ],
    [
      'another coding',
      { headers: [...HOST, 'Transfer-Encoding', 'gzip, chunked'] },
      'REQUEST_FRAMING_INVALID',
    ],
    [
      'two codings',
      { headers: [...HOST, 'Transfer-Encoding', 'chunked', 'Transfer-Encoding', 'chunked'] },
      'REQUEST_FRAMING_INVALID',
    ],
    [
      'chunked in HTTP/1.0',
      { version: [1, 0], headers: [...HOST, 'Transfer-Encoding', 'chunked'] },
      'REQUEST_FRAMING_INVALID',
    ],
    [
      'a length beyond counting',
      { headers: [...HOST, 'Content-Length', '9007199254740993'] },
      'REQUEST_FRAMING_INVALID',
    ],
    ['a length that is none', { headers: [...HOST, 'Content-Length', 'x'] }, 'REQUEST_FRAMING_INVALID'],
    [
      'an upgrade with a body',
      { upgrade: true, headers: [...HOST, 'Content-Length', '1'] },
      'REQUEST_FRAMING_INVALID',
    ],
    [
      'an upgrade with chunks',
      { upgrade: true, headers: [...HOST, 'Transfer-Encoding', 'chunked'] },
      'REQUEST_FRAMING_INVALID',
    ],
    ['another form of target', { url: '*' }, 'REQUEST_TARGET_INVALID'],
    ['a target on another host', { url: 'http://y/' }, 'REQUEST_TARGET_INVALID'],
    ['a target on another port', { url: 'http://x:80/' }, 'REQUEST_TARGET_INVALID'],
    [
      'an absolute target without a host header',
      { version: [1, 0], headers: [], url: 'http://x/' },
      'REQUEST_TARGET_INVALID',
    ],
    ['an ambiguous path', { url: '/a/../b' }, 'REQUEST_PATH_AMBIGUOUS'],
  ])('%s', (_, sent, code) => {
    const { exchange, verdict } = canonicalize(sent);
    expect(verdict).toEqual(deny(code));
    expect(exchange.inbound).toBeNull();
  });

  it.each<readonly [string, Sent, boolean]>([
    ['a target as long as may be', { url: `/${'a'.repeat(49)}` }, true],
    ['headers as large as may be', { headers: [...HOST, 'X-A', 'a'.repeat(200 - 4 - 5 - 3 - 4)] }, true],
    ['headers one byte larger', { headers: [...HOST, 'X-A', 'a'.repeat(200 - 4 - 5 - 3 - 4 + 1)] }, false],
  ])('at the line: %s', (_, sent, passes) => {
    expect(canonicalize(sent).verdict === undefined).toBe(passes);
  });
});

it('remembers hosts without being filled up by invented ones', () => {
  for (let i = 0; i < 5_000; i++) canonicalize({ headers: ['Host', `h${i}.example`] });
  expect(canonicalize({ headers: ['Host', 'H1.example.'] }).exchange.inbound?.host).toBe('h1.example');
});
