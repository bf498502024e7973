import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { configSchema } from '../../../src/config/schema/config.ts';
import type { Exchange } from '../../../src/core/exchange.ts';
import type { Inbound } from '../../../src/core/inbound.ts';
import type { Principal } from '../../../src/core/principal.ts';
import { deny } from '../../../src/core/refusal.ts';
import { createBalancer } from '../../../src/prepare/balancer.ts';
import { createPrepareStage } from '../../../src/prepare/prepare-stage.ts';
import { exchange as exchangeOf } from '../../support/exchange.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { principal } from '../../support/principal.ts';
import { recordingLogger } from '../../support/recording-logger.ts';
import { type RouteSketch, route } from '../../support/routes.ts';

type ConfigInput = Partial<z.input<typeof configSchema>>;

const FORWARDED = [
  'x-forwarded-for',
  '192.0.2.1',
  'x-forwarded-proto',
  'http',
  'x-forwarded-host',
  'api.example.com',
  'forwarded',
  'for=192.0.2.1;proto=http;host="api.example.com"',
  'x-request-id',
  'id-1',
];

interface Prepared {
  readonly request?: Partial<Inbound>;
  readonly sketch?: Partial<RouteSketch>;
  readonly config?: ConfigInput;
  readonly caller?: Principal;
}

function prepare(input: Prepared): { exchange: Exchange; verdict: unknown } {
  const upstreams = { board: { url: 'http://board.test:3000' }, ...input.config?.upstreams };
  const config = configSchema.parse({
    routes: [{ id: 'r', match: { path: '/' }, allow: 'public', upstream: 'board' }],
    ...input.config,
    upstreams,
  });
  const exchange = exchangeOf(input.request ?? {}, route(input.sketch, { upstreams }));
  exchange.requestId = 'id-1';
  exchange.principal = input.caller ?? null;
  const stage = createPrepareStage(config, createBalancer(createFakeClock(), recordingLogger([])));
  return { exchange, verdict: stage.run(exchange) };
}

/** The headers that go out, without those that every request has. */
function headersOf(input: Prepared): string[] {
  const { exchange } = prepare(input);
  const headers = exchange.outbound?.headers ?? [];
  expect(headers.slice(0, 2)).toEqual(['host', 'board.test:3000']);
  return headers.slice(2).filter((text) => !FORWARDED.includes(text));
}

describe('what goes out', () => {
  it('is the canonical request to an address of the upstream, our own headers last', () => {
    const { exchange, verdict } = prepare({
      request: { method: 'DELETE', path: '/a%20b', query: 'c=%64', headers: ['accept', '*/*', 'x-a', '1'] },
      caller: principal({ subject: 'sub-1', username: 'alice', groups: ['writers'], clientId: 'client-1' }),
    });
    expect(verdict).toBeUndefined();
    expect(exchange.outbound).toMatchObject({
      method: 'DELETE',
      path: '/a%20b?c=%64',
      pathAndQuery: '/a%20b?c=%64',
      body: null,
      transform: null,
      contentLength: 0,
    });
    expect(exchange.outbound?.headers).toEqual([
      'host',
      'board.test:3000',
      'accept',
      '*/*',
      'x-a',
      '1',
      ...FORWARDED,
      'x-cognito-sub',
      'sub-1',
      'x-cognito-username',
      'alice',
      'x-cognito-groups',
      'writers',
      'x-cognito-client',
      'client-1',
      'x-cognito-token-use',
      'access',
    ]);
  });

  it('names nobody where nobody is known', () => {
    expect(headersOf({ request: { headers: ['x-cognito-sub', 'root', 'x.cognito.sub', 'root'] } })).toEqual(
      [],
    );
  });

  it.each([
    [0, false],
    [12, true],
    [-1, true],
  ])('with the length %d has a body: %s', (contentLength, hasBody) => {
    const { exchange } = prepare({ request: { contentLength } });
    expect(exchange.outbound?.body).toBe(hasBody ? exchange.request : null);
    expect(exchange.outbound?.contentLength).toBe(contentLength);
  });

  it.each([
    ['upstream', 'API.example.com:80', 'board.test:3000'],
    ['client', 'API.example.com:80', 'API.example.com:80'],
    ['client', '', 'board.test:3000'],
  ] as const)('has the host of the %s (%j): %s', (host, authority, expected) => {
    const config = { upstreams: { board: { url: 'http://board.test:3000', host } } };
    const { exchange } = prepare({ request: { authority }, config });
    expect(exchange.outbound?.headers.slice(0, 2)).toEqual(['host', expected]);
  });

  it.each([
    [false, ['te', 'trailers', 'connection', 'TE']],
    [true, []],
  ])('names TE in Connection; for an upgrade (%s) neither goes out', (upgrade, expected) => {
    expect(headersOf({ request: { headers: ['te', 'trailers'], upgrade } })).toEqual(expected);
  });

  it.each([
    ['http://board.test', '/a/b', undefined, null, '/a/b'],
    ['http://board.test/', '/a/b', undefined, null, '/a/b'],
    ['http://board.test/base', '/a/b', undefined, 'x=1', '/base/a/b?x=1'],
    ['http://board.test/base/', '/', undefined, null, '/base/'],
    ['http://board.test', '/a/b', '/a', null, '/b'],
    ['http://board.test', '/a/b/c', '/a/b', 'x', '/c?x'],
    ['http://board.test', '/a', '/a', null, '/'],
    ['http://board.test/base', '/a', '/a', '', '/base/?'],
    ['http://board.test', '/a//b', '/a', null, '//b'],
    ['http://board.test', '/a/%2Fb', '/a', null, '/%2Fb'],
  ])('to %s for %s without %s: %s, %s', (url, path, stripPrefix, query, expected) => {
    const rewrite = stripPrefix === undefined ? {} : { rewrite: { stripPrefix } };
    const { exchange } = prepare({
      request: { path, query },
      sketch: { path: '/a/{rest+}', ...rewrite },
      config: { upstreams: { board: { url } } },
    });
    expect(exchange.outbound?.path).toBe(expected);
  });

  it('goes to each address of the upstream in turn', () => {
    const urls = ['http://a.test/x', 'http://b.test:81'];
    const config = configSchema.parse({
      upstreams: { board: { urls } },
      routes: [{ id: 'r', match: { path: '/' }, allow: 'public', upstream: 'board' }],
    });
    const stage = createPrepareStage(config, createBalancer(createFakeClock(), recordingLogger([])));
    const to = route({}, { upstreams: { board: { urls } } });
    const sent = [0, 1, 2].map(() => {
      const exchange = exchangeOf({}, to);
      stage.run(exchange);
      return [exchange.outbound?.target.origin, exchange.outbound?.path, exchange.outbound?.headers[1]];
    });
    expect(sent).toEqual([
      ['http://a.test', '/x/', 'a.test'],
      ['http://b.test:81', '/', 'b.test:81'],
      ['http://a.test', '/x/', 'a.test'],
    ]);
  });
});

describe('the token', () => {
  const TOKEN_SOURCES: ConfigInput = {
    tokenSources: [
      'authorization',
      'websocketProtocol',
      { header: 'x-token' },
      { cookie: 's' },
      { query: 't' },
    ],
  };
  const request = {
    query: 'a=1&t=secret',
    headers: [
      'authorization',
      'Bearer secret',
      'x-token',
      'secret',
      'cookie',
      'a=1; s=secret',
      'cookie',
      's=secret',
      'sec-websocket-protocol',
      'chat, bearer, secret',
    ],
  };

  it.each(['public', 'optional', 'authenticated'] as const)(
    'is removed from every source on a route that is %s',
    (allow) => {
      const { exchange } = prepare({ request, sketch: { allow }, config: TOKEN_SOURCES });
      expect(JSON.stringify(exchange.outbound?.headers)).not.toContain('secret');
      expect(exchange.outbound?.path).toBe('/?a=1');
      expect(headersOf({ request, sketch: { allow }, config: TOKEN_SOURCES })).toEqual([
        'cookie',
        'a=1',
        'sec-websocket-protocol',
        'chat',
      ]);
    },
  );

  it('is forwarded as it was sent where the route says so', () => {
    const input = { request, sketch: { forwardToken: true }, config: TOKEN_SOURCES };
    expect(headersOf(input)).toEqual(request.headers);
    expect(prepare(input).exchange.outbound?.path).toBe('/?a=1&t=secret');
  });

  it('passes where it is no source, which is then not a token to us', () => {
    const config: ConfigInput = { tokenSources: [{ cookie: 's' }] };
    expect(headersOf({ request, config })).toEqual([
      'authorization',
      'Bearer secret',
      'x-token',
      'secret',
      'cookie',
      'a=1',
      'sec-websocket-protocol',
      'chat, bearer, secret',
    ]);
  });

  it.each([
    ['Basic eDp5', true],
    ['AWS4-HMAC-SHA256 Credential=x', true],
    ['Bearer x', false],
    ['bearer x', false],
    ['BEARER  x', false],
    ['eyJhbGciOiJub25lIn0.e30.', false],
    ['Basic', false],
    ['', false],
    ['Bearer\tx', false],
  ])('Authorization: %j goes on from a public route: %s', (value, passes) => {
    const headers = ['authorization', value];
    expect(headersOf({ request: { headers }, sketch: { allow: 'public' } })).toEqual(passes ? headers : []);
    expect(headersOf({ request: { headers }, sketch: { allow: 'authenticated' } })).toEqual([]);
    expect(headersOf({ request: { headers }, sketch: { allow: 'optional' } })).toEqual([]);
  });

  it('of another provider is for the identity pool alone', () => {
    const identityPools = {
      main: {
        identityPoolId: 'us-east-1:11111111-2222-3333-4444-555555555555',
        userPool: 'main',
        logins: { 'accounts.google.com': { header: 'x-google-token' } },
      },
    };
    const headers = ['x-google-token', 'secret', 'x.google.token', 'secret', 'x-id-token', 'secret'];
    expect(headersOf({ request: { headers }, config: { identityPools } })).toEqual([]);
  });
});

describe('a body', () => {
  it.each([
    [100, 100, undefined],
    [101, 100, 'LIMIT_BODY'],
    [-1, 100, undefined],
    [1e12, null, undefined],
  ] as const)('of %d bytes where %s are allowed: %s', (contentLength, bodyBytes, code) => {
    const { exchange, verdict } = prepare({ request: { contentLength }, sketch: { limits: { bodyBytes } } });
    expect(verdict).toEqual(code === undefined ? undefined : deny(code));
    expect(exchange.outbound === null).toBe(code !== undefined);
  });
});

it('cannot run before there is a request and a route', () => {
  const stage = createPrepareStage(
    configSchema.parse({
      upstreams: { board: { url: 'http://board.test' } },
      routes: [{ id: 'r', match: { path: '/' }, allow: 'public', upstream: 'board' }],
    }),
    createBalancer(createFakeClock(), recordingLogger([])),
  );
  expect(() => stage.run(exchangeOf({}))).toThrow('the stage route has not run');
});
