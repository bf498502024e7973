import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createFakeClock, type FakeClock } from '../../support/fake-clock.ts';
import { OPEN_ROUTE } from '../../support/open-route.ts';
import { type ProxyUnderTest, startProxy } from '../../support/proxy.ts';
import { refusingOrigin } from '../../support/refusing-origin.ts';
import { runOut } from '../../support/run-out.ts';
import { type StuckListener, startStuckListener } from '../../support/stuck-listener.ts';
import {
  type Answer,
  afterInterim,
  answer,
  chunk,
  chunked,
  closeAfter,
  held,
  raw,
  reset,
  script,
  silence,
  upgradeEcho,
} from '../../support/upstream-answers.ts';
import { sendUpgrade } from '../../support/web-socket.ts';

const ORIGIN = 'https://app.example.com';

let clock: FakeClock;
let stuck: StuckListener;
let proxy: ProxyUnderTest;

beforeAll(async () => {
  clock = createFakeClock(Date.now());
  stuck = await startStuckListener();
  proxy = await startProxy(
    {
      upstreams: {
        board: { timeouts: { connect: '2s', response: '30s', bodyIdle: '200ms' } },
        refusing: { url: await refusingOrigin() },
        stuck: { url: stuck.origin, timeouts: { connect: '2s', response: '1h' } },
      },
      routes: [
        OPEN_ROUTE,
        { ...OPEN_ROUTE, id: 'refusing', match: { path: '/refusing' }, upstream: 'refusing' },
        { ...OPEN_ROUTE, id: 'stuck', match: { path: '/stuck' }, upstream: 'stuck' },
        { ...OPEN_ROUTE, id: 'hasty', match: { path: '/hasty' }, timeouts: { response: '5s' } },
        { ...OPEN_ROUTE, id: 'cors', match: { path: '/cors' }, cors: { origins: [ORIGIN] } },
      ],
    },
    { clock },
  );
});
afterAll(async () => {
  await runOut(clock, proxy.stop());
  await stuck.stop();
});
beforeEach(() => proxy.upstream.forget());

describe('an upgrade that the upstream does not grant', () => {
  const PLAIN: readonly [what: string, answer: Answer, status: number, text: string][] = [
    ['a refusal with a length', answer(403, 'no'), 403, 'no'],
    [
      'a refusal in chunks',
      raw(`HTTP/1.1 426 Upgrade\r\nTransfer-Encoding: chunked\r\n\r\n${chunk('no')}0\r\n\r\n`),
      426,
      'no',
    ],
    ['a refusal that the end delimits', closeAfter('HTTP/1.1 400 Bad\r\n\r\nno'), 400, 'no'],
    ['a redirect', answer(302, '', ['Location: /elsewhere']), 302, ''],
    [
      '200: no tunnel, whatever its headers say',
      answer(200, 'page', ['Connection: Upgrade', 'Upgrade: websocket']),
      200,
      'page',
    ],
    ['200 in chunks', chunked(['pa', 'ge']), 200, 'page'],
    ['204', raw('HTTP/1.1 204 None\r\n\r\n'), 204, ''],
    [
      'a refusal after interim answers',
      afterInterim(['HTTP/1.1 102 Processing', 'HTTP/1.1 103 Hints'], answer(403, 'no')),
      403,
      'no',
    ],
  ];

  it.each(PLAIN)('hands on %s', async (_what, reply, status, text) => {
    proxy.upstream.on('/plain', reply);
    const connection = await sendUpgrade(proxy, '/plain', ['X-Request-Id: mine-1'], 'bytes for a tunnel');
    const got = await connection.response();
    expect([
      got.status,
      got.text,
      got.header('connection'),
      got.header('x-request-id'),
      got.header('upgrade'),
    ]).toEqual([status, text, 'close', 'mine-1', undefined]);
    expect(await connection.closed).toBe('end');
    connection.close();
    // What was meant for the tunnel has gone nowhere.
    expect(proxy.upstream.bytes(proxy.upstream.connections).toString()).not.toContain('tunnel');
  });

  it('hands on each header of the answer', async () => {
    const lines = ['Set-Cookie: a=1', 'Set-Cookie: b=2', 'WWW-Authenticate: Negotiate', 'X-Name: caf\xe9'];
    proxy.upstream.on('/cookies', answer(401, 'no', lines));
    const connection = await sendUpgrade(proxy, '/cookies');
    const { headers } = await connection.response();
    expect(headers.filter(([name]) => /^(set-cookie|www-authenticate|x-name)$/.test(name))).toEqual([
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
      ['www-authenticate', 'Negotiate'],
      ['x-name', 'caf\xe9'],
    ]);
    connection.close();
  });

  it('hands the answer on with our CORS headers, where they are ours', async () => {
    proxy.upstream.on(
      '/cors',
      answer(403, 'no', ['Access-Control-Allow-Origin: *', 'Vary: Accept', 'X-Request-Id: theirs']),
    );
    const connection = await sendUpgrade(proxy, '/cors', [`Origin: ${ORIGIN}`, 'X-Request-Id: mine-1']);
    const got = await connection.response();
    expect([
      got.header('access-control-allow-origin'),
      got.header('x-request-id'),
      got.header('vary'),
    ]).toEqual([ORIGIN, 'mine-1', 'Accept, Origin']);
    connection.close();
  });
});

describe('an upgrade that fails', () => {
  const FAILING: readonly [what: string, path: string, answer: Answer, status: number, code: string][] = [
    ['refused connections', '/refusing', silence(), 502, 'UPSTREAM_CONNECT_FAILED'],
    ['a reset', '/fails', reset('head'), 502, 'UPSTREAM_RESET'],
    ['an end', '/fails', closeAfter('', 'head'), 502, 'UPSTREAM_RESET'],
    [
      'an end in the header section',
      '/fails',
      closeAfter('HTTP/1.1 101 Switching\r\nUpgrade: web', 'head'),
      502,
      'UPSTREAM_RESET',
    ],
    [
      'something else than HTTP',
      '/fails',
      raw('SSH-2.0-secret\r\n', 'head'),
      502,
      'UPSTREAM_RESPONSE_INVALID',
    ],
    [
      '101 to nothing',
      '/fails',
      raw('HTTP/1.1 101 Switching\r\n\r\n', 'head'),
      502,
      'UPSTREAM_UPGRADE_REFUSED',
    ],
  ];

  it.each(FAILING)('by %s', async (_what, path, reply, status, code) => {
    proxy.upstream.on('/fails', reply);
    const connection = await sendUpgrade(proxy, path, ['X-Request-Id: mine-1']);
    const got = await connection.response();
    expect([got.status, got.json(), got.header('x-request-id')]).toEqual([
      status,
      { message: 'Bad Gateway', code, requestId: 'mine-1' },
      'mine-1',
    ]);
    expect(got.text + JSON.stringify(got.headers)).not.toMatch(/127\.0\.0\.1|secret|ECONN|HPE_/);
    expect(await connection.closed).toBe('end');
    connection.close();
  });

  it.each([
    ['that is not answered', '/silent', 30_000],
    ['that is not answered within what the route allows', '/hasty', 5_000],
    ['whose connection is not taken', '/stuck', 2_000],
  ])('by time: one %s', async (what, path, time) => {
    const silent = held(answer());
    proxy.upstream.on(path, silent);
    const connection = await sendUpgrade(proxy, path, ['X-Request-Id: mine-1']);
    if (what.includes('answered')) await silent.arrived;
    // What a request on the way shows, an upgrade before it has reached as well.
    await proxy.request('GET /other HTTP/1.1');
    clock.advance(time - 1);
    await proxy.request('GET /other HTTP/1.1');
    expect(proxy.log.some((line) => line['path'] === path)).toBe(false);
    clock.advance(1);
    const got = await connection.response();
    expect([got.status, got.json()]).toEqual([
      504,
      { message: 'Gateway Timeout', code: 'UPSTREAM_TIMEOUT', requestId: 'mine-1' },
    ]);
    expect(await connection.closed).toBe('end');
    connection.close();
    silent.release();
  });

  it.each([
    ['a length', 'HTTP/1.1 403 No\r\nContent-Length: 100\r\n\r\nhalf', 'end'],
    ['chunks', `HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n${chunk('half')}`, 'end'],
    ['nothing but the end', 'HTTP/1.1 403 No\r\n\r\nhalf', 'reset'],
  ])(
    'in the middle of a plain answer delimited by %s is cut off, never a whole answer',
    async (what, bytes, how) => {
      const path = `/half/${what.replaceAll(' ', '-')}`;
      for (const fault of ['reset', 'stall']) {
        const read = Promise.withResolvers<void>();
        proxy.upstream.on(
          `${path}/${fault}`,
          script(async ({ socket, write }) => {
            await write(bytes);
            await read.promise;
            if (fault === 'reset') socket.resetAndDestroy();
          }),
        );
        const connection = await sendUpgrade(proxy, `${path}/${fault}`);
        await connection.takeUntil('half');
        read.resolve();
        expect(await connection.closed).toBe(how);
        expect((await connection.rest()).toString()).not.toContain('0\r\n\r\n');
        connection.close();
        expect(await proxy.logged(`${path}/${fault}`)).toMatchObject({
          status: 403,
          decision: 'fault',
          code: fault === 'reset' ? 'UPSTREAM_RESET' : 'UPSTREAM_TIMEOUT',
        });
      }
    },
  );
});

describe('a client that does not read the answer to its upgrade', () => {
  it('is cut off and named as who was late, not the upstream', async () => {
    const piece = Buffer.alloc(65_536, 'x');
    const length = 1024 * piece.length;
    let sent = 0;
    const gone = Promise.withResolvers<void>();
    proxy.upstream.on(
      '/unread',
      script(async ({ socket, write }) => {
        socket.on('close', () => gone.resolve());
        await write(`HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`);
        for (; sent < length && !socket.destroyed; sent += piece.length) await write(piece);
      }),
    );
    const connection = await sendUpgrade(proxy, '/unread');
    connection.socket.pause();
    await gone.promise;
    expect(sent).toBeLessThan(length);
    expect(await proxy.logged('/unread')).toMatchObject({
      status: 200,
      decision: 'deny',
      code: 'REQUEST_TIMEOUT',
    });
    connection.close();
  });
});

describe('a client that leaves during the upgrade', () => {
  it.each(['close', 'reset', 'end'] as const)('takes the upstream’s request with it: %s', async (how) => {
    const gone = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    const path = `/leaves/${how}`;
    proxy.upstream.on(
      path,
      script(({ socket, tunnel }) => {
        tunnel(() => undefined);
        socket.on('close', () => gone.resolve());
        arrived.resolve();
      }, 'head'),
    );
    const connection = await sendUpgrade(proxy, path);
    await arrived.promise;
    connection[how]();
    await gone.promise;
    expect(await proxy.logged(path)).toMatchObject({ status: 499, decision: 'allow' });
  });

  it('a thousand times, with resets at every moment, does not hurt', async () => {
    proxy.upstream.on('*', upgradeEcho());
    for (let i = 0; i < 1000; i += 50) {
      await Promise.all(
        Array.from({ length: 50 }, async (_, k) => {
          const connection = await sendUpgrade(proxy, `/reset/${i + k}`, [], 'hello');
          // At once, or so many turns of the loop later: before, in the middle of and after the answer.
          for (let turns = k % 10; turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
          connection.reset();
        }),
      );
    }
    const connection = await sendUpgrade(proxy, '/after', [], 'hello');
    expect((await connection.head()).status).toBe(101);
    expect((await connection.take(5)).toString()).toBe('hello');
    connection.close();
    await proxy.logged('/after');
    while (!/cognito_auth_proxy_requests_in_flight 0\n/.test(await proxy.metrics()));
  });
});
