import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../src/core/errors.ts';
import { attack, expectRefusal, onlyRequest, SHAPES, untilIdle } from '../support/attack.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { OPEN_ROUTE } from '../support/open-route.ts';
import { bearer, CLIENT_ID, type ProxyConfig, type ProxyUnderTest, startProxy } from '../support/proxy.ts';
import type { RecordedRequest } from '../support/recording-upstream.ts';
import { runOut } from '../support/run-out.ts';
import { followServe, metricValue, prepareSurroundings, runServe } from '../support/served.ts';
import { makeKey, signToken } from '../support/token-factory.ts';
import { openWebSocket, startEchoServer } from '../support/web-socket.ts';

const HEADER = 'x-shadow-refusal';
const TOKEN_SOURCES: ProxyConfig['tokenSources'] = ['authorization', { cookie: 'token' }];
const board = { upstream: 'board' } as const;

const ROUTES: ProxyConfig['routes'] = [
  { ...board, id: 'open', match: { path: '/open' }, allow: 'public' },
  { ...board, id: 'guests', match: { path: '/guests' }, allow: 'optional' },
  { ...board, id: 'members', match: { path: '/members' }, allow: 'authenticated' },
  { ...board, id: 'writers', match: { path: '/writers' }, allow: { groups: ['writers'] } },
  { ...board, id: 'forward', match: { path: '/forward' }, allow: 'authenticated', forwardToken: true },
  {
    ...board,
    id: 'rare',
    match: { path: '/rare' },
    allow: 'authenticated',
    rateLimit: { by: 'caller', requests: 1, per: '1h' },
  },
  { ...board, id: 'small', match: { path: '/small' }, allow: 'authenticated', limits: { bodyBytes: 3 } },
  { ...board, id: 'posted', match: { path: '/posted', methods: ['POST'] }, allow: 'authenticated' },
  { ...board, id: 'owned', match: { path: '/owned' }, allow: 'authenticated', enforce: true },
  { ...board, id: 'loose', match: { path: '/Things/{id}' }, allow: 'authenticated' },
  { ...board, id: 'strict', match: { path: '/things/{id}' }, allow: 'authenticated', enforce: true },
];

/** What arrived that speaks for a caller. */
const identityOf = (request: RecordedRequest): string[] =>
  request.headers.flatMap(([name]) => (/^x-cognito/i.test(name) ? [name] : []));

describe('with enforce: false', () => {
  let proxy: ProxyUnderTest;
  beforeAll(async () => {
    proxy = await startProxy({ enforce: false, tokenSources: TOKEN_SOURCES, routes: ROUTES });
  });
  afterEach(() => proxy.upstream.forget());
  afterAll(async () => {
    await untilIdle(proxy);
    await proxy.stop();
  });

  const counted = async (route: string, code: string): Promise<number> => {
    const series = `cognito_auth_proxy_shadow_refusals_total{route="${route}",code="${code}"}`;
    return metricValue(await proxy.metrics(), series) ?? 0;
  };

  const forged = (): string => signToken(makeKey('test-key'), { iss: proxy.issuer, sub: 'mallory' });
  const CASES: readonly (readonly [string, string, () => string[], ErrorCode, string | undefined])[] = [
    ['no token', 'members', () => [], 'AUTHN_TOKEN_MISSING', undefined],
    ['a token that is none', 'members', () => [bearer('nonsense')], 'AUTHN_TOKEN_MALFORMED', undefined],
    ['a forged token', 'members', () => [bearer(forged())], 'AUTHN_SIGNATURE_INVALID', undefined],
    [
      'an expired token',
      'members',
      () => [bearer(proxy.token({ exp: 1 }))],
      'AUTHN_TOKEN_EXPIRED',
      undefined,
    ],
    [
      'a token of another client',
      'writers',
      () => [bearer(proxy.token({ client_id: 'other', 'cognito:groups': ['writers'] }))],
      'AUTHN_CLIENT_MISMATCH',
      undefined,
    ],
    [
      'two tokens',
      'members',
      () => [bearer(proxy.token()), `Cookie: token=${proxy.token()}`],
      'AUTHN_TOKEN_DUPLICATE',
      undefined,
    ],
    ['a bad token of a guest', 'guests', () => [bearer('a.b.c')], 'AUTHN_TOKEN_MALFORMED', undefined],
    ['no token for a group', 'writers', () => [], 'AUTHN_TOKEN_MISSING', undefined],
    [
      'a caller without the group',
      'writers',
      () => [bearer(proxy.token())],
      'AUTHZ_GROUP_REQUIRED',
      'groups anyOf [writers]',
    ],
  ];

  describe.each(SHAPES)('a %s', (shape) => {
    it.each(CASES)('with %s to %s is let through', async (_, route, lines, code, condition) => {
      const before = await counted(route, code);
      const id = `case-${proxy.log.length}`;
      const outcome = await attack(proxy, shape, `/${route}`, [`X-Request-Id: ${id}`, ...lines()]);
      const request = onlyRequest(outcome);
      expect(outcome.response.status).toBe(shape === 'request' ? 200 : outcome.response.status);
      expect(outcome.response.headers.map(([name]) => name.toLowerCase())).not.toContain(HEADER);
      expect(request.values(HEADER)).toEqual([code]);
      // Whoever was not verified has no name; whoever was, and only lacks a group, has.
      const verified = code.startsWith('AUTHZ_');
      expect(identityOf(request).includes('x-cognito-sub')).toBe(verified);
      expect(identityOf(request).length > 0).toBe(verified);
      expect(request.values('authorization')).toEqual([]);

      await untilIdle(proxy);
      const line = proxy.log.find((one) => one['requestId'] === id);
      expect(line).toMatchObject({ level: 'info', route, decision: 'allow', shadow: code, condition });
      expect(line?.['code']).toBeUndefined();
      expect(line?.['clientId']).toBe(verified ? CLIENT_ID : undefined);
      expect(await counted(route, code)).toBe(before + 1);
    });

    it('that meets the rule is not marked', async () => {
      const token = bearer(proxy.token({ 'cognito:groups': ['writers'] }));
      for (const path of ['/writers', '/members', '/guests', '/owned']) {
        const request = onlyRequest(await attack(proxy, shape, path, [token]));
        expect(request.values(HEADER)).toEqual([]);
        expect(request.values('x-cognito-groups')).toEqual(['writers']);
      }
      expect(onlyRequest(await attack(proxy, shape, '/open')).values(HEADER)).toEqual([]);
    });

    it.each(['X-Shadow-Refusal', 'x_shadow_refusal', 'X-SHADOW_REFUSAL', 'X.Shadow.Refusal'])(
      'cannot mark itself by %s',
      async (name) => {
        const lines = [bearer(proxy.token()), `${name}: AUTHZ_GROUP_REQUIRED`];
        for (const path of ['/open', '/members']) {
          const request = onlyRequest(await attack(proxy, shape, path, lines));
          expect(request.headers.filter(([sent]) => /shadow/i.test(sent))).toEqual([]);
        }
        const marked = onlyRequest(await attack(proxy, shape, '/members', [`${name}: none`]));
        expect(marked.headers.filter(([sent]) => /shadow/i.test(sent))).toEqual([
          [HEADER, 'AUTHN_TOKEN_MISSING'],
        ]);
      },
    );

    it('keeps identity headers of its own from the upstream', async () => {
      const lines = ['X-Cognito-Sub: root', 'X_Cognito_Groups: admins', bearer('nonsense')];
      expect(identityOf(onlyRequest(await attack(proxy, shape, '/members', lines)))).toEqual([]);
    });

    it('keeps its token where the route forwards tokens, good or bad', async () => {
      const request = onlyRequest(await attack(proxy, shape, '/forward', [bearer('nonsense')]));
      expect([request.values('authorization'), request.values(HEADER)]).toEqual([
        ['Bearer nonsense'],
        ['AUTHN_TOKEN_MALFORMED'],
      ]);
    });

    it.each<readonly [string, string, readonly string[], number, string, ErrorCode]>([
      ['where no route is', '/nowhere', [], 404, 'Not Found', 'ROUTE_NOT_FOUND'],
      ['by another method', '/posted', [], 405, 'Method Not Allowed', 'ROUTE_METHOD_NOT_ALLOWED'],
      ['on a path with dots', '/members/..%2Fowned', [], 400, 'Bad Request', 'REQUEST_PATH_AMBIGUOUS'],
      ['on a route that is enforced', '/owned', [], 401, 'Unauthorized', 'AUTHN_TOKEN_MISSING'],
      [
        'on a path that may be read as one that is enforced',
        '/Things/1',
        [],
        400,
        'Bad Request',
        'REQUEST_PATH_AMBIGUOUS',
      ],
      [
        'with two Authorization headers',
        '/members',
        [bearer('a'), bearer('b')],
        400,
        'Bad Request',
        'REQUEST_HEADER_DUPLICATE',
      ],
      ['with two hosts', '/members', ['Host: a', 'Host: b'], 400, 'Bad Request', 'REQUEST_HOST_INVALID'],
    ])('is refused all the same %s', async (_, target, lines, status, message, code) => {
      expectRefusal(await attack(proxy, shape, target, lines), status, message, code);
    });

    it('is held to rate limits, by address where nobody is known', async () => {
      await proxy.reload({
        enforce: false,
        tokenSources: TOKEN_SOURCES,
        routes: ROUTES.map((route) => (route.id === 'rare' ? { ...route, id: `rare-${shape}` } : route)),
      });
      const first = await attack(proxy, shape, '/rare', [bearer('one')]);
      expect(onlyRequest(first).values(HEADER)).toEqual(['AUTHN_TOKEN_MALFORMED']);
      const second = await attack(proxy, shape, '/rare', [bearer('another')]);
      expectRefusal(second, 429, 'Too Many Requests', 'LIMIT_RATE');
      const known = await attack(proxy, shape, '/rare', [bearer(proxy.token())]);
      expect(onlyRequest(known).values(HEADER)).toEqual([]);
    });
  });

  it('a body that is too large is refused all the same', async () => {
    const answer = await proxy.request('POST /small HTTP/1.1', [], 'four');
    expect([answer.status, answer.json()]).toMatchObject([413, { code: 'LIMIT_BODY' }]);
    expect(proxy.upstream.requests).toEqual([]);
  });

  it('keys that cannot be had stop nobody, and are noted', async () => {
    const cut = await startProxy(
      { enforce: false, routes: ROUTES },
      { awaitReady: false, prepareKeys: (keys) => keys.behave('error') },
    );
    const answer = await cut.request('GET /members HTTP/1.1', [bearer(cut.token())]);
    expect(answer.status).toBe(200);
    expect(cut.upstream.requests[0]?.values(HEADER)).toEqual(['AUTHN_KEYS_UNAVAILABLE']);
    expect(identityOf(cut.upstream.requests[0] as RecordedRequest)).toEqual([]);
    const enforced = await cut.request('GET /owned HTTP/1.1', [bearer(cut.token())]);
    expect([enforced.status, enforced.json()]).toMatchObject([503, { code: 'AUTHN_KEYS_UNAVAILABLE' }]);
    await cut.stop();
  });

  it('the admin port shows it, and a reload ends it', async () => {
    const table = (await (await fetch(`${proxy.admin}/routes`)).json()) as { id: string; enforce: boolean }[];
    const enforced = table.filter(({ enforce }) => enforce).map(({ id }) => id);
    expect(enforced).toEqual(['open', 'owned', 'strict']);
    expect(await (await fetch(`${proxy.admin}/`)).text()).toContain('authenticated (not enforced)');
    await proxy.reload({ routes: ROUTES });
    expect((await proxy.request('GET /members HTTP/1.1')).status).toBe(401);
    expect(proxy.upstream.requests).toEqual([]);
  });
});

it('a WebSocket opens without a token, marked, and stays open when its token expires', async () => {
  const clock = createFakeClock(Date.now());
  const echo = await startEchoServer();
  const proxy = await startProxy(
    {
      server: { timeouts: { webSocketIdle: null } },
      upstreams: { echo: { url: echo.origin } },
      routes: [
        { ...OPEN_ROUTE, id: 'echo', upstream: 'echo', allow: 'authenticated', enforce: false },
        { ...OPEN_ROUTE, id: 'other', match: { path: '/other' }, upstream: 'echo' },
      ],
    },
    { clock },
  );
  const stranger = await openWebSocket(proxy, '/stranger');
  expect(echo.requests[0]?.headers[HEADER]).toBe('AUTHN_TOKEN_MISSING');
  stranger.terminate();
  expect(await proxy.logged('/stranger')).toMatchObject({ status: 101, shadow: 'AUTHN_TOKEN_MISSING' });

  const exp = Math.floor(clock.now() / 1000) + 100;
  const webSocket = await openWebSocket(proxy, '/echo', {
    authorization: `Bearer ${proxy.token({ exp })}`,
  });
  clock.advance(100_000);
  webSocket.send('still there?');
  expect(String((await once(webSocket, 'message'))[0])).toBe('still there?');
  webSocket.terminate();
  expect(await proxy.logged('/echo')).toMatchObject({
    status: 101,
    decision: 'allow',
    shadow: 'AUTHN_TOKEN_EXPIRED',
  });
  await runOut(clock, proxy.stop());
  await echo.stop();
});

it('serve warns of it at the start and whenever it reads a configuration', async () => {
  const place = await prepareSurroundings();
  const [open, members, writers] = [ROUTES[0], ROUTES[2], ROUTES[3]] as const;
  const write = (enforce: boolean): string =>
    place.write(
      'some.yaml',
      place.complete({ enforce, routes: [open, members, writers].flatMap((route) => route ?? []) }),
    );
  const program = runServe(place.folder, ['serve', '--config', write(false)]);
  const served = await followServe(program);
  const warning = 'routes are not enforced: everybody is let through there';
  expect(await served.logged(warning)).toMatchObject({ level: 'warn', unenforced: 2 });
  expect((await served.request('GET /members HTTP/1.1')).status).toBe(200);
  write(true);
  program.signal('SIGHUP');
  await served.logged('configuration taken over');
  expect((await served.request('GET /members HTTP/1.1')).status).toBe(401);
  write(false);
  program.signal('SIGHUP');
  expect(await served.logged(warning)).toMatchObject({ level: 'warn', unenforced: 2 });
  expect(await served.stop()).toBe(0);
  expect(served.log.filter(({ message }) => message === warning)).toHaveLength(2);
  await place.stop();
}, 60_000);
