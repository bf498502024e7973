import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { OPEN_ROUTE } from '../support/open-route.ts';
import { bearer, type ProxyUnderTest, startProxy } from '../support/proxy.ts';
import { openRaw, type RawConnection } from '../support/raw-http.ts';
import { settleDown } from '../support/settle-down.ts';
import { startStuckListener } from '../support/stuck-listener.ts';
import { chunk, script } from '../support/upstream-answers.ts';

let proxy: ProxyUnderTest;

beforeAll(async () => {
  proxy = await startProxy({
    routes: [
      OPEN_ROUTE,
      { ...OPEN_ROUTE, id: 'members', match: { path: '/members/{path+}' }, allow: 'authenticated' },
    ],
  });
});
afterAll(() => proxy.stop());
beforeEach(() => proxy.upstream.forget());

/** How a client may leave. */
const LEAVINGS: readonly [string, (connection: RawConnection) => void][] = [
  ['closes', (connection) => connection.close()],
  ['resets', (connection) => connection.reset()],
  // Whoever closes its side is gone, for all that TCP can say: waiting for a reader that may never come helps nobody.
  ['half-closes', (connection) => connection.end()],
];

/** The upstream’s view of one request: it has come, and its connection is gone. */
interface Sight {
  readonly arrived: Promise<void>;
  readonly gone: Promise<void>;
}

function watch(path: string, act: Parameters<typeof script>[0]): Sight {
  const arrived = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<void>();
  proxy.upstream.on(
    path,
    script(async (context) => {
      context.socket.on('close', () => gone.resolve());
      context.tunnel(() => undefined);
      await act(context);
      arrived.resolve();
    }, 'head'),
  );
  return { arrived: arrived.promise, gone: gone.promise };
}

async function nothingInFlight(): Promise<void> {
  expect(await proxy.metrics()).toContain('cognito_auth_proxy_requests_in_flight 0\n');
}

describe.each(LEAVINGS)('a client that %s', (how, leave) => {
  it('before its answer begins cancels the request', async () => {
    const path = `/waiting/${how}`;
    const { arrived, gone } = watch(path, () => undefined);
    const connection = await openRaw(proxy.origin);
    connection.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
    await arrived;
    leave(connection);
    await gone;
    expect(await proxy.logged(path)).toMatchObject({ status: 499, decision: 'allow' });
    await nothingInFlight();
  });

  it('in the middle of its own body cancels the request', async () => {
    const path = `/sending/${how}`;
    const { arrived, gone } = watch(path, () => undefined);
    const connection = await openRaw(proxy.origin);
    connection.send(`POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf`);
    await arrived;
    leave(connection);
    await gone;
    // An end where there is more to come is malformed; a reset says nothing.
    expect((await proxy.logged(path))['status']).toBe(how === 'resets' ? 499 : 400);
    expect(proxy.upstream.requests.map(({ body }) => body.length)).toEqual([0]);
    await nothingInFlight();
  });

  it('in the middle of a chunked body cancels the request: what came is not taken for all', async () => {
    const path = `/chunks/${how}`;
    const { arrived, gone } = watch(path, () => undefined);
    const connection = await openRaw(proxy.origin);
    connection.send(`POST ${path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunk('half')}`);
    await arrived;
    leave(connection);
    await gone;
    await nothingInFlight();
    expect(proxy.upstream.bytes(proxy.upstream.connections).toString()).not.toContain('\r\n0\r\n');
  });

  it('in the middle of the answer cancels the request', async () => {
    const path = `/reading/${how}`;
    const { gone } = watch(path, ({ write }) =>
      write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk('half')}`),
    );
    const connection = await openRaw(proxy.origin);
    connection.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
    await connection.takeUntil('half');
    leave(connection);
    await gone;
    expect((await proxy.logged(path))['status']).toBe(200);
    await nothingInFlight();
  });

  it('after its answer leaves the upstream’s connection to the next request', async () => {
    const connection = await openRaw(proxy.origin);
    connection.send('GET /done HTTP/1.1\r\nHost: a\r\n\r\n');
    await connection.response();
    const before = proxy.upstream.connections;
    leave(connection);
    await connection.closed;
    expect((await proxy.request('GET /next HTTP/1.1')).status).toBe(200);
    expect(proxy.upstream.connections).toBe(before);
  });
});

describe('a client that leaves', () => {
  it('while its answer is held back cancels the request', async () => {
    let sent = 0;
    const { gone } = watch('/held', async ({ socket, write }) => {
      await write(`HTTP/1.1 200 OK\r\nContent-Length: ${2 ** 30}\r\n\r\n`);
      for (; !socket.destroyed; sent += 65_536) await write(Buffer.alloc(65_536));
    });
    const connection = await openRaw(proxy.origin);
    connection.socket.pause();
    connection.send('GET /held HTTP/1.1\r\nHost: a\r\n\r\n');
    await settleDown(proxy, () => sent);
    expect(sent).toBeGreaterThan(0);
    connection.reset();
    await gone;
    await nothingInFlight();
  });

  it('while its token is verified never gets as far as the upstream', async () => {
    const before = proxy.upstream.connections;
    proxy.keys.behave('held');
    const asked = proxy.keys.requested(proxy.keys.requests + 1);
    const connection = await openRaw(proxy.origin);
    const token = `${Buffer.from('{"alg":"RS256","kid":"new"}').toString('base64url')}.${proxy.token().split('.')[1]}.AAAA`;
    connection.send(`POST /members/x HTTP/1.1\r\nHost: a\r\n${bearer(token)}\r\nContent-Length: 2\r\n\r\nhi`);
    await asked;
    connection.reset();
    expect(await proxy.logged('/members/x')).toMatchObject({ status: 499 });
    proxy.keys.behave('good');
    proxy.keys.release();
    await nothingInFlight();
    expect(proxy.upstream.connections).toBe(before);
  });

  it('while the upstream is being connected does not have its request sent later', async () => {
    const stuck = await startStuckListener();
    const waiting = await startProxy({
      upstreams: { board: { url: stuck.origin, timeouts: { connect: '1s' }, retries: 0 } },
      routes: [OPEN_ROUTE],
    });
    const connection = await openRaw(waiting.origin);
    connection.send('POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi');
    // The next request on another connection meets the timeout, and with it the first one would have.
    const other = waiting.request('GET /other HTTP/1.1');
    connection.reset();
    expect(await waiting.logged('/early')).toMatchObject({ status: 499 });
    expect((await other).status).toBe(504);
    expect(await waiting.metrics()).toContain('cognito_auth_proxy_requests_in_flight 0\n');
    await waiting.stop();
    await stuck.stop();
  });
});
