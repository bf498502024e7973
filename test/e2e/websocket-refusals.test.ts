import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts';
import { OPEN_ROUTE } from '../support/open-route.ts';
import { bearer, type ProxyUnderTest, startProxy } from '../support/proxy.ts';
import { runOut } from '../support/run-out.ts';
import { settleDown } from '../support/settle-down.ts';
import { upgradeEcho } from '../support/upstream-answers.ts';
import { sendUpgrade } from '../support/web-socket.ts';

const ORIGIN = 'https://app.example.com';

let clock: FakeClock;
let proxy: ProxyUnderTest;

beforeAll(async () => {
  clock = createFakeClock(Date.now());
  proxy = await startProxy(
    {
      cors: { origins: [ORIGIN] },
      routes: [
        { ...OPEN_ROUTE, match: { path: '/settle' } },
        { ...OPEN_ROUTE, id: 'members', match: { path: '/members' }, allow: { groups: ['members'] } },
        { ...OPEN_ROUTE, id: 'posted', match: { path: '/posted', methods: ['POST'] } },
      ],
    },
    { clock },
  );
});
afterAll(() => runOut(clock, proxy.stop()));
beforeEach(() => proxy.upstream.forget());

const REFUSED: readonly [
  what: string,
  path: string,
  lines: () => string[],
  status: number,
  code: string,
  message: string,
][] = [
  ['without a token', '/members', () => [], 401, 'AUTHN_TOKEN_MISSING', 'Unauthorized'],
  ['with a bad token', '/members', () => [bearer('nonsense')], 401, 'AUTHN_TOKEN_MALFORMED', 'Unauthorized'],
  [
    'with an expired token',
    '/members',
    () => [bearer(proxy.token({ exp: 1 }))],
    401,
    'AUTHN_TOKEN_EXPIRED',
    'Unauthorized',
  ],
  ['without the group', '/members', () => [bearer(proxy.token())], 403, 'AUTHZ_GROUP_REQUIRED', 'Forbidden'],
  ['where there is no route', '/nowhere', () => [], 404, 'ROUTE_NOT_FOUND', 'Not Found'],
  ['by another method', '/posted', () => [], 405, 'ROUTE_METHOD_NOT_ALLOWED', 'Method Not Allowed'],
  ['on an ambiguous path', '/settle/..%2Fmembers', () => [], 400, 'REQUEST_PATH_AMBIGUOUS', 'Bad Request'],
  [
    'with two Authorization headers',
    '/members',
    () => [bearer('a'), bearer('b')],
    400,
    'REQUEST_HEADER_DUPLICATE',
    'Bad Request',
  ],
];

describe('an upgrade is refused before any upstream is asked', () => {
  it.each(REFUSED)('%s', async (_what, path, lines, status, code, message) => {
    proxy.upstream.on('*', upgradeEcho());
    const before = proxy.upstream.connections;
    const connection = await sendUpgrade(proxy, path, [
      'X-Request-Id: mine-1',
      `Origin: ${ORIGIN}`,
      ...lines(),
    ]);
    const got = await connection.response();
    expect([got.status, got.reason, got.json()]).toEqual([
      status,
      message,
      { message, code, requestId: 'mine-1' },
    ]);
    expect([got.header('x-request-id'), got.header('connection')]).toEqual(['mine-1', 'close']);
    expect(await connection.closed).toBe('end');
    // A script must be able to read why.
    if (status !== 400) expect(got.header('access-control-allow-origin')).toBe(ORIGIN);
    connection.close();
    expect([proxy.upstream.connections, proxy.upstream.requests]).toEqual([before, []]);
  });

  it('and counted as every other request is', async () => {
    const connection = await sendUpgrade(proxy, '/members', ['X-Request-Id: counted']);
    await connection.response();
    connection.close();
    expect(await proxy.logged('/members')).toMatchObject({ status: 401, route: 'members', decision: 'deny' });
    expect(await proxy.metrics()).toMatch(
      /cognito_auth_proxy_decisions_total\{route="members",decision="deny",code="AUTHN_TOKEN_MISSING"\} [1-9]/,
    );
  });

  it.each([
    ['that closes its side only later', ''],
    ['that has sent more already', 'x'.repeat(100_000)],
  ])('a client %s does not keep the connection', async (_what, head) => {
    const connection = await sendUpgrade(proxy, '/members', ['X-Request-Id: kept'], head);
    expect((await connection.response()).status).toBe(401);
    expect(await connection.closed).toBe('end');
    const gone = new Promise((resolve) => connection.socket.once('close', resolve));
    clock.advance(1_000);
    // Nobody is there any more to take this: it is answered by a reset.
    const knocking = (async () => {
      while (!connection.socket.destroyed) {
        await new Promise((resolve) => connection.socket.write('more', resolve));
        await settleDown(proxy, () => 0);
      }
    })();
    await gone;
    await knocking;
  });
});
