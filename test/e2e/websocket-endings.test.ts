import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts';
import { OPEN_ROUTE } from '../support/open-route.ts';
import { type ProxyConfig, type ProxyUnderTest, startProxy } from '../support/proxy.ts';
import type { RawConnection } from '../support/raw-http.ts';
import { runOut } from '../support/run-out.ts';
import { held, script, upgradeEcho } from '../support/upstream-answers.ts';
import { type EchoServer, openWebSocket, sendUpgrade, startEchoServer } from '../support/web-socket.ts';

let clock: FakeClock;
let echo: EchoServer;
let proxy: ProxyUnderTest;

const routes: ProxyConfig['routes'] = [
  OPEN_ROUTE,
  { ...OPEN_ROUTE, id: 'echo', match: { path: '/echo' }, allow: 'authenticated', upstream: 'echo' },
  { ...OPEN_ROUTE, id: 'guests', match: { path: '/guests' }, upstream: 'echo' },
];

beforeEach(async () => {
  clock = createFakeClock(Date.now());
  echo = await startEchoServer();
  proxy = await startProxy(
    { server: { timeouts: { webSocketIdle: null } }, upstreams: { echo: { url: echo.origin } }, routes },
    { clock },
  );
});
afterEach(async () => {
  await runOut(clock, proxy.stop());
  await echo.stop();
});

const closing = async (webSocket: WebSocket): Promise<[number, string]> => {
  const [code, reason] = (await once(webSocket, 'close')) as [number, Buffer];
  return [code, reason.toString()];
};

const exchangeOne = async (webSocket: WebSocket): Promise<void> => {
  webSocket.send('still there?');
  expect(String((await once(webSocket, 'message'))[0])).toBe('still there?');
};

describe('a WebSocket whose token expires', () => {
  const open = (lifetime: number) => {
    const exp = Math.floor(clock.now() / 1000) + lifetime;
    return openWebSocket(proxy, '/echo', { authorization: `Bearer ${proxy.token({ exp })}` });
  };

  it('is closed in that moment, with 1008, and the upstream’s side with it', async () => {
    const connected = echo.connected();
    const webSocket = await open(100);
    const upstream = await connected;
    clock.advance(99_000);
    await exchangeOne(webSocket);
    const closed = closing(webSocket);
    const upstreamClosed = once(upstream, 'close');
    clock.advance(1_000);
    expect(await closed).toEqual([1008, 'token expired']);
    await upstreamClosed;
  });

  it('is closed whatever is on its way', async () => {
    await proxy.reload({ routes: [{ ...OPEN_ROUTE, allow: 'authenticated' }] });
    // The upstream is in the middle of a frame of 100 bytes.
    proxy.upstream.on(
      '/half',
      script(async ({ write, tunnel }) => {
        tunnel(() => undefined);
        await write(
          'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n\x82\x64half',
        );
      }, 'head'),
    );
    const exp = Math.floor(clock.now() / 1000) + 100;
    const connection = await sendUpgrade(proxy, '/half', [`Authorization: Bearer ${proxy.token({ exp })}`]);
    await connection.takeUntil('half');
    clock.advance(100_000);
    expect(await connection.closed).toBe('end');
    connection.close();
    expect(await proxy.upstream.closed(proxy.upstream.connections)).toMatch(/end|reset/);
  });

  it('cuts off a client that does not go', async () => {
    await proxy.reload({ routes: [{ ...OPEN_ROUTE, allow: 'authenticated' }] });
    proxy.upstream.on('/raw', upgradeEcho());
    const exp = Math.floor(clock.now() / 1000) + 100;
    const connection = await sendUpgrade(proxy, '/raw', [`Authorization: Bearer ${proxy.token({ exp })}`]);
    await connection.head();
    clock.advance(100_000);
    expect((await connection.rest()).subarray(0, 4)).toEqual(Buffer.from([0x88, 15, 0x03, 0xf0]));
    clock.advance(1_000);
    expect(await proxy.logged('/raw')).toMatchObject({ status: 101, decision: 'allow' });
    connection.close();
  });

  it('is another matter than one without a token', async () => {
    const webSocket = await openWebSocket(proxy, '/guests');
    clock.advance(365 * 86_400_000);
    await exchangeOne(webSocket);
    webSocket.terminate();
  });
});

describe('a WebSocket when one side goes', () => {
  const UPSTREAM_GOES: readonly [string, (upstream: WebSocket) => void, number][] = [
    ['closes', (upstream) => upstream.close(1011, 'sorry'), 1011],
    ['drops out', (upstream) => upstream.terminate(), 1006],
  ];
  it.each(UPSTREAM_GOES)('an upstream that %s takes the client with it', async (_what, go, code) => {
    const connected = echo.connected();
    const webSocket = await openWebSocket(proxy, '/guests');
    const closed = closing(webSocket);
    go(await connected);
    expect((await closed)[0]).toBe(code);
  });

  it('what an upstream said before it went still arrives', async () => {
    const said = Buffer.alloc(500_000, 'x');
    proxy.upstream.on(
      '/last',
      script(async ({ socket, write, tunnel }) => {
        tunnel(() => undefined);
        await write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
        await write(said);
        socket.end();
      }, 'head'),
    );
    const connection = await sendUpgrade(proxy, '/last');
    await connection.head();
    expect((await connection.take(said.length)).equals(said)).toBe(true);
    expect(await connection.closed).toBe('end');
    connection.close();
  });

  const CLIENT_GOES: readonly [string, (connection: RawConnection) => void][] = [
    ['closes', (connection) => connection.close()],
    ['resets', (connection) => connection.reset()],
    ['half-closes', (connection) => connection.end()],
  ];
  it.each(CLIENT_GOES)('a client that %s takes the upstream with it', async (_what, go) => {
    const gone = Promise.withResolvers<void>();
    proxy.upstream.on(
      '/left',
      script(async ({ socket, write, tunnel }) => {
        socket.on('close', () => gone.resolve());
        tunnel(() => undefined);
        await write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      }, 'head'),
    );
    const connection = await sendUpgrade(proxy, '/left');
    await connection.head();
    go(connection);
    await gone.promise;
    expect(await proxy.logged('/left')).toMatchObject({ status: 101 });
  });

  it.each(['client', 'upstream'])('of which the %s has gone by halves does not linger', async (side) => {
    // Neither end closes when the other does: the worst of both.
    const upstream = Promise.withResolvers<Socket>();
    proxy.upstream.on(
      '/stays',
      script(async ({ socket, write, tunnel }) => {
        socket.removeAllListeners('end');
        tunnel(() => undefined);
        await write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
        upstream.resolve(socket);
      }, 'head'),
    );
    const connection = await sendUpgrade(proxy, '/stays');
    await connection.head();
    const socket = await upstream.promise;
    if (side === 'client') connection.end();
    else socket.end();
    await runOut(clock, proxy.logged('/stays'));
    // Nobody is there any more: what is sent now is answered by a reset.
    const [left, gone] = side === 'client' ? [socket, connection.socket] : [connection.socket, socket];
    gone.destroy();
    while (!left.destroyed) await new Promise((resolve) => left.write('anybody?', resolve));
  });
});

describe('a WebSocket when the configuration or the service goes', () => {
  it('survives a reload, even one that has no more use for its route and upstream', async () => {
    const webSocket = await openWebSocket(proxy, '/guests');
    await proxy.reload({ routes: [OPEN_ROUTE] });
    await exchangeOne(webSocket);
    webSocket.terminate();
  });

  it('is closed with 1001 when the service stops, after the time to be unready', async () => {
    const webSocket = await openWebSocket(proxy, '/guests');
    const closed = closing(webSocket);
    await runOut(clock, proxy.service.stop());
    expect(await closed).toEqual([1001, 'going away']);
  });

  it('that opens while the service stops is closed too', async () => {
    const late = held(upgradeEcho());
    proxy.upstream.on('/late', late);
    const connection = await sendUpgrade(proxy, '/late');
    await late.arrived;
    const stopped = proxy.service.stop();
    // Unready for no time at all: the tunnels are being closed now.
    clock.advance(0);
    await new Promise((resolve) => setImmediate(resolve));
    late.release();
    expect((await connection.head()).status).toBe(101);
    expect((await connection.rest()).subarray(0, 4)).toEqual(Buffer.from([0x88, 12, 0x03, 0xe9]));
    await runOut(clock, stopped);
    connection.close();
  });
});
