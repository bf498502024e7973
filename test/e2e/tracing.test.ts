import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { attack, onlyRequest, SHAPES, untilIdle } from '../support/attack.ts';
import { bearer, type ProxyConfig, startProxy } from '../support/proxy.ts';
import { startSigningStack } from '../support/signing-stack.ts';
import { type CollectedSpan, startTraceCollector } from '../support/trace-collector.ts';
import {
  CLIENT_SPAN,
  CLIENT_TRACE,
  startTracedProxy,
  type TracedProxy,
  traceparent,
  tracingTo,
} from '../support/traced-proxy.ts';
import { answer, closeAfter, upgradeEcho } from '../support/upstream-answers.ts';
import { sendUpgrade } from '../support/web-socket.ts';

const ROUTES: ProxyConfig['routes'] = [
  { id: 'open', match: { path: '/open/{rest+}' }, allow: 'public', upstream: 'board' },
  { id: 'user', match: { path: '/users/{name}/posts' }, allow: { groups: ['writers'] }, upstream: 'board' },
  { id: 'tried', match: { path: '/tried' }, allow: 'authenticated', enforce: false, upstream: 'board' },
  { id: 'gone', match: { path: '/gone' }, allow: 'public', upstream: 'gone' },
];
const UPSTREAMS: ProxyConfig['upstreams'] = { gone: { url: 'http://127.0.0.1:1', retries: 1 } };

/** A trace of its own for each request, so that its spans are told apart. */
const newTrace = (): string => randomBytes(16).toString('hex');

const namesOf = (spans: readonly CollectedSpan[]): string[] =>
  spans.map(({ name, kind }) => `${kind} ${name}`);

describe('a traced proxy', () => {
  let traced: TracedProxy;
  beforeAll(async () => {
    traced = await startTracedProxy(
      { routes: ROUTES, upstreams: UPSTREAMS, tokenSources: ['authorization', { query: 'token' }] },
      {
        OTEL_SERVICE_NAME: 'edge',
        OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test,service.name=other,team=a%2Cb',
        OTEL_EXPORTER_OTLP_HEADERS: 'x-key=a%20secret',
      },
    );
  });
  afterEach(() => traced.proxy.upstream.forget());
  afterAll(async () => {
    await untilIdle(traced.proxy);
    await traced.stop();
  });

  describe.each(SHAPES)('of a %s', (shape) => {
    it('tells what each part of it took', async () => {
      const { proxy, collector } = traced;
      const traceId = newTrace();
      const token = proxy.token({ 'cognito:groups': ['writers'] });
      const outcome = await attack(proxy, shape, '/users/alice/posts?secret=1', [
        traceparent('01', traceId),
        'X-Request-Id: mine-1',
        bearer(token),
      ]);
      const spans = await collector.trace(traceId);
      expect(namesOf(spans)).toEqual([
        'server GET /users/{name}/posts',
        'internal authenticate',
        'internal authorize',
        'internal prepare',
        'client GET',
      ]);
      const [server, ...children] = spans as [CollectedSpan, ...CollectedSpan[]];
      expect(server.parentSpanId).toBe(CLIENT_SPAN);
      for (const child of children) {
        expect(child.parentSpanId).toBe(server.spanId);
        expect(child.start).toBeGreaterThanOrEqual(server.start);
        expect(child.end).toBeGreaterThanOrEqual(child.start);
        expect(child.end).toBeLessThanOrEqual(server.end);
      }
      expect(server.attributes).toEqual({
        'http.request.method': 'GET',
        'url.scheme': 'http',
        'url.path': '/users/alice/posts',
        'server.address': 'api.example.com',
        'client.address': '127.0.0.1',
        'network.peer.address': '127.0.0.1',
        'network.protocol.version': '1.1',
        'http.route': '/users/{name}/posts',
        'http.response.status_code': outcome.response.status,
        'cognito_auth_proxy.request_id': 'mine-1',
        'cognito_auth_proxy.route': 'user',
      });
      expect(children.map(({ attributes }) => attributes)).toEqual([
        { 'cognito_auth_proxy.user_pool': 'main' },
        {},
        { 'cognito_auth_proxy.upstream': 'board' },
        {
          'http.request.method': 'GET',
          'url.full': `${proxy.upstream.origin}/users/alice/posts`,
          'server.address': '127.0.0.1',
          'server.port': proxy.upstream.port,
          'http.response.status_code': 200,
          'cognito_auth_proxy.upstream': 'board',
        },
      ]);
      expect(spans.map(({ failed }) => failed)).toEqual(spans.map(() => false));
      const send = children.at(-1);
      const request = onlyRequest(outcome);
      expect(request.values('traceparent')).toEqual([`00-${traceId}-${send?.spanId}-01`]);
      await untilIdle(proxy);
      expect(proxy.log.find((line) => line['traceId'] === traceId)).toMatchObject({ requestId: 'mine-1' });
    });

    it.each<readonly [string, string, string[], number, string[], object, object | null]>([
      [
        'without a token',
        '/users/alice/posts',
        [],
        401,
        ['server GET /users/{name}/posts', 'internal authenticate'],
        { 'cognito_auth_proxy.code': 'AUTHN_TOKEN_MISSING' },
        { 'cognito_auth_proxy.code': 'AUTHN_TOKEN_MISSING' },
      ],
      [
        'without the group',
        '/users/alice/posts',
        ['member'],
        403,
        ['server GET /users/{name}/posts', 'internal authenticate', 'internal authorize'],
        {
          'cognito_auth_proxy.code': 'AUTHZ_GROUP_REQUIRED',
          'cognito_auth_proxy.condition': 'groups anyOf [writers]',
        },
        {
          'cognito_auth_proxy.code': 'AUTHZ_GROUP_REQUIRED',
          'cognito_auth_proxy.condition': 'groups anyOf [writers]',
        },
      ],
      [
        'where there is no route',
        '/nowhere',
        [],
        404,
        ['server GET'],
        { 'cognito_auth_proxy.code': 'ROUTE_NOT_FOUND', 'url.path': '/nowhere' },
        null,
      ],
      [
        'with a path that is none',
        '/open/../x',
        [],
        400,
        ['server GET'],
        { 'cognito_auth_proxy.code': 'REQUEST_PATH_AMBIGUOUS' },
        null,
      ],
    ])('refused %s is no failure, and says why', async (_, target, lines, status, names, said, last) => {
      const { proxy, collector } = traced;
      const traceId = newTrace();
      const token = lines.length === 0 ? [] : [bearer(proxy.token())];
      const { response } = await attack(proxy, shape, target, [traceparent('01', traceId), ...token]);
      expect(response.status).toBe(status);
      const spans = await collector.trace(traceId);
      expect(namesOf(spans)).toEqual(names);
      expect(spans[0]).toMatchObject({
        failed: false,
        parentSpanId: CLIENT_SPAN,
        attributes: { 'http.response.status_code': status, ...said },
      });
      expect(spans[0]?.attributes).not.toHaveProperty(['error.type']);
      if (last !== null) expect(spans.at(-1)).toMatchObject({ attributes: last, failed: false });
      await untilIdle(proxy);
      expect(proxy.log.filter((line) => line['traceId'] === traceId)).toHaveLength(1);
    });

    it('in shadow mode says what would have been', async () => {
      const traceId = newTrace();
      await attack(traced.proxy, shape, '/tried', [traceparent('01', traceId)]);
      const spans = await traced.collector.trace(traceId);
      expect(spans[0]?.attributes).toMatchObject({ 'cognito_auth_proxy.shadow': 'AUTHN_TOKEN_MISSING' });
      expect(spans[0]?.attributes).not.toHaveProperty(['cognito_auth_proxy.code']);
    });

    it('that begins no trace begins one here', async () => {
      const { proxy, collector } = traced;
      const { reached } = await attack(proxy, shape, `/open/new-${shape}`, ['tracestate: a=1']);
      const [, traceId = '', spanId] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-01$/.exec(
        reached[0]?.values('traceparent')[0] ?? '',
      ) as string[];
      const spans = await collector.trace(traceId);
      expect(spans[0]?.parentSpanId).toBe('');
      expect(spans.at(-1)?.spanId).toBe(spanId);
      // Whose state it was, nobody can say.
      expect(reached[0]?.values('tracestate')).toEqual([]);
      expect((await proxy.logged(`/open/new-${shape}`))['traceId']).toBe(traceId);
    });

    it.each([
      ['not well-formed', ['traceparent: nonsense']],
      ['of no trace', [traceparent('01', '0'.repeat(32))]],
      ['in capitals', [traceparent('01', CLIENT_TRACE.toUpperCase())]],
      ['there twice', [traceparent(), traceparent()]],
    ])('whose traceparent is %s begins a new one', async (_, lines) => {
      const { reached } = await attack(traced.proxy, shape, '/open/x', lines);
      const values = reached[0]?.values('traceparent') ?? [];
      expect(values).toEqual([expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)]);
      expect(values[0]).not.toContain(CLIENT_TRACE);
    });

    it('keeps tracestate and the flag for random ids', async () => {
      const traceId = newTrace();
      const lines = [traceparent('03', traceId), 'tracestate: a=1', 'tracestate: b=2', 'baggage: c=3'];
      const { reached } = await attack(traced.proxy, shape, '/open/x', lines);
      const spans = await traced.collector.trace(traceId);
      expect(reached[0]?.values('traceparent')).toEqual([`00-${traceId}-${spans.at(-1)?.spanId}-03`]);
      // An upgrade goes out with its headers joined.
      expect(reached[0]?.values('tracestate').join(', ')).toBe('a=1, b=2');
      expect(reached[0]?.values('baggage')).toEqual(['c=3']);
    });

    it('that its client does not record is not recorded here, and the upstream is told so', async () => {
      const { proxy, collector } = traced;
      const [quiet, loud] = [newTrace(), newTrace()];
      const { reached } = await attack(proxy, shape, '/open/quiet', [traceparent('00', quiet)]);
      expect(reached[0]?.values('traceparent')).toEqual([
        expect.stringMatching(new RegExp(`^00-${quiet}-[0-9a-f]{16}-00$`)),
      ]);
      await attack(proxy, shape, '/open/loud', [traceparent('01', loud)]);
      await collector.trace(loud);
      expect(collector.spans.filter((span) => span.traceId === quiet)).toEqual([]);
      await untilIdle(proxy);
      expect(proxy.log.filter((line) => line['traceId'] === quiet)).toHaveLength(1);
    });
  });

  it('a traceparent that Connection names is for the proxy alone', async () => {
    const lines = [traceparent(), 'Connection: traceparent'];
    const request = onlyRequest(await attack(traced.proxy, 'request', '/open/x', lines));
    expect(request.values('traceparent')).toEqual([expect.not.stringContaining(CLIENT_TRACE)]);
  });

  it('tells of an upstream that cannot be reached, every attempt', async () => {
    const traceId = newTrace();
    const { response } = await attack(traced.proxy, 'request', '/gone', [traceparent('01', traceId)]);
    expect(response.status).toBe(502);
    const spans = await traced.collector.trace(traceId);
    expect(namesOf(spans)).toEqual(['server GET /gone', 'internal prepare', 'client GET', 'client GET']);
    expect(spans.map(({ failed, attributes }) => [failed, attributes['error.type']])).toEqual([
      [true, 'UPSTREAM_CONNECT_FAILED'],
      [false, undefined],
      [true, 'retried'],
      [true, 'UPSTREAM_CONNECT_FAILED'],
    ]);
    expect(spans.map(({ attributes }) => attributes['http.request.resend_count'])).toEqual([
      undefined,
      undefined,
      undefined,
      1,
    ]);
  });

  it.each([
    [404, false, '404'],
    [500, true, '500'],
  ])(
    'an answer of %s: the client of the upstream has an error, the server only beyond 500',
    async (status, failed, type) => {
      const traceId = newTrace();
      traced.proxy.upstream.on('/open/status', answer(status));
      await attack(traced.proxy, 'request', '/open/status', [traceparent('01', traceId)]);
      const spans = await traced.collector.trace(traceId);
      expect(spans[0]?.failed).toBe(failed);
      expect(spans[0]?.attributes['error.type']).toBe(failed ? type : undefined);
      expect(spans.at(-1)).toMatchObject({
        failed: true,
        attributes: { 'error.type': type, 'http.response.status_code': status },
      });
    },
  );

  it('an answer that breaks off is a failure', async () => {
    const traceId = newTrace();
    traced.proxy.upstream.on('/open/short', closeAfter('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort'));
    await expect(
      traced.proxy.request('GET /open/short HTTP/1.1', [traceparent('01', traceId)]),
    ).rejects.toThrow();
    const spans = await traced.collector.trace(traceId);
    expect(spans[0]).toMatchObject({ failed: true, attributes: { 'error.type': 'UPSTREAM_RESET' } });
    expect(spans.at(-1)).toMatchObject({ failed: true, attributes: { 'http.response.status_code': 200 } });
  });

  it('an unusual method is not named', async () => {
    const traceId = newTrace();
    await traced.proxy.request('PROPFIND /open/x HTTP/1.1', [traceparent('01', traceId)]);
    const [server] = await traced.collector.trace(traceId);
    expect(server?.name).toBe('HTTP /open/{rest+}');
    expect(server?.attributes).toMatchObject({
      'http.request.method': '_OTHER',
      'http.request.method_original': 'PROPFIND',
    });
  });

  it('tells of a WebSocket when it opens, not when it ends', async () => {
    const { proxy, collector } = traced;
    const traceId = newTrace();
    proxy.upstream.on('/open/ws', upgradeEcho());
    const connection = await sendUpgrade(proxy, '/open/ws', [traceparent('01', traceId)]);
    expect((await connection.response()).status).toBe(101);
    const spans = await collector.trace(traceId);
    expect(namesOf(spans)).toEqual(['server GET /open/{rest+}', 'internal prepare', 'client GET']);
    expect(spans.map(({ attributes }) => attributes['http.response.status_code'])).toEqual([
      101,
      undefined,
      101,
    ]);
    expect(proxy.log.filter((line) => line['traceId'] === traceId)).toEqual([]);
    connection.close();
    expect((await proxy.logged('/open/ws'))['traceId']).toBe(traceId);
    await untilIdle(proxy);
    expect(collector.spans.filter((span) => span.traceId === traceId)).toHaveLength(3);
  });

  it('says what it is, in the words of its environment', async () => {
    const traceId = newTrace();
    await attack(traced.proxy, 'request', '/open/x', [traceparent('01', traceId)]);
    const [span] = await traced.collector.trace(traceId);
    expect(span?.resource).toEqual({
      'service.name': 'edge',
      'service.instance.id': expect.stringMatching(/^[0-9a-f-]{36}$/),
      'deployment.environment.name': 'test',
      team: 'a,b',
      'telemetry.sdk.language': 'nodejs',
      'telemetry.sdk.name': 'opentelemetry',
      'telemetry.sdk.version': expect.any(String),
    });
    expect(traced.collector.requests[0]).toMatchObject({
      url: '/v1/traces',
      headers: { 'content-type': 'application/json', 'x-key': 'a secret' },
    });
  });

  it('tells nobody of tokens, queries and callers', async () => {
    const { proxy, collector } = traced;
    const traceId = newTrace();
    const token = proxy.token({ sub: 'the-subject', username: 'the-name', 'cognito:groups': ['writers'] });
    await attack(proxy, 'request', `/users/alice/posts?token=${token}&hidden=the-query`, [
      traceparent('01', traceId),
      'Cookie: the-cookie=1',
      'User-Agent: the-agent',
    ]);
    await collector.trace(traceId);
    expect(collector.received).not.toMatch(/the-subject|the-name|the-query|the-cookie|the-agent|eyJ/);
  });

  it('goes on after a reload', async () => {
    await traced.proxy.reload({ routes: ROUTES, upstreams: UPSTREAMS });
    const traceId = newTrace();
    await attack(traced.proxy, 'request', '/open/reloaded', [traceparent('01', traceId)]);
    expect(await traced.collector.trace(traceId)).toHaveLength(3);
  });
});

describe('sampling', () => {
  it.each<readonly [string, string | undefined, string | null, boolean]>([
    ['always_on', undefined, null, true],
    ['always_on', undefined, '00', true],
    ['always_off', undefined, null, false],
    ['always_off', undefined, '01', false],
    ['traceidratio', '1', null, true],
    ['traceidratio', '0', '01', false],
    ['parentbased_always_on', undefined, null, true],
    ['parentbased_always_on', undefined, '00', false],
    ['parentbased_always_off', undefined, null, false],
    ['parentbased_always_off', undefined, '01', true],
    ['parentbased_traceidratio', '0', null, false],
    ['parentbased_traceidratio', '0', '01', true],
    ['parentbased_traceidratio', '1', '00', false],
  ])('%s %s, where the client says %s: %s', async (sampler, argument, flags, recorded) => {
    const traced = await startTracedProxy(
      { routes: ROUTES, upstreams: UPSTREAMS },
      {
        OTEL_TRACES_SAMPLER: sampler,
        ...(argument === undefined ? {} : { OTEL_TRACES_SAMPLER_ARG: argument }),
      },
    );
    const lines = flags === null ? [] : [traceparent(flags)];
    const { reached } = await attack(traced.proxy, 'request', '/open/x', lines);
    const ends = recorded ? /-01$/ : /-00$/;
    expect(reached[0]?.values('traceparent')).toEqual([expect.stringMatching(ends)]);
    await traced.stop();
    expect(traced.collector.spans.length).toBe(recorded ? 3 : 0);
  });
});

describe('a request that is signed', () => {
  it('has a span for that, and its traceparent is not in the signature', async () => {
    const collector = await startTraceCollector();
    const stack = await startSigningStack({ environment: tracingTo(collector) });
    const traceId = newTrace();
    const answered = await stack.proxy.request('GET /items HTTP/1.1', [
      bearer(stack.idToken()),
      traceparent('01', traceId),
    ]);
    expect(answered.status).toBe(200);
    const spans = await collector.trace(traceId);
    expect(namesOf(spans).slice(-2)).toEqual(['internal sign', 'client GET']);
    expect(spans.at(-2)?.attributes).toEqual({ 'cognito_auth_proxy.credentials': 'main' });
    await stack.stop();
    await collector.stop();
  });
});

describe('without an endpoint', () => {
  it('what clients say of traces passes as it came, and the log knows the trace', async () => {
    const proxy = await startProxy({ routes: ROUTES, upstreams: UPSTREAMS });
    const lines = [traceparent(), 'tracestate: a=1', 'traceparent: nonsense'];
    for (const shape of SHAPES) {
      const { reached } = await attack(proxy, shape, '/open/x', [traceparent(), 'tracestate: a=1']);
      expect(reached[0]?.values('traceparent')).toEqual([traceparent().replace('traceparent: ', '')]);
      expect(reached[0]?.values('tracestate')).toEqual(['a=1']);
    }
    expect((await proxy.logged('/open/x'))['traceId']).toBe(CLIENT_TRACE);
    const odd = onlyRequest(await attack(proxy, 'request', '/open/odd', lines));
    expect(odd.values('traceparent')).toHaveLength(2);
    expect((await proxy.logged('/open/odd'))['traceId']).toBeUndefined();
    expect(onlyRequest(await attack(proxy, 'request', '/open/none')).values('traceparent')).toEqual([]);
    await untilIdle(proxy);
    await proxy.stop();
  });
});
