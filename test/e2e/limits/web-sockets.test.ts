import { afterEach, describe, expect, it } from 'vitest';
import { createFakeClock, type FakeClock } from '../../support/fake-clock.ts';
import { OPEN_ROUTE } from '../../support/open-route.ts';
import { type ProxyConfig, type ProxyUnderTest, startProxy } from '../../support/proxy.ts';
import { openRaw, type RawConnection } from '../../support/raw-http.ts';
import { runOut } from '../../support/run-out.ts';
import { type HeldAnswer, held, raw, script, upgradeEcho } from '../../support/upstream-answers.ts';

const UPGRADE = [
  'GET /ws HTTP/1.1',
  'Host: a',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  '',
  '',
].join('\r\n');

let clock: FakeClock;
let proxy: ProxyUnderTest;
const open: RawConnection[] = [];

async function start(server: NonNullable<ProxyConfig['server']>): Promise<void> {
  clock = createFakeClock(Date.now());
  proxy = await startProxy({ server, routes: [OPEN_ROUTE] }, { clock });
  proxy.upstream.on('/ws', upgradeEcho());
}

afterEach(async () => {
  for (const connection of open.splice(0)) connection.close();
  await runOut(clock, proxy.stop());
});

async function ask(): Promise<RawConnection> {
  const connection = await openRaw(proxy.origin);
  open.push(connection);
  connection.send(UPGRADE);
  return connection;
}

async function connect(): Promise<RawConnection> {
  const connection = await ask();
  expect((await connection.head()).status).toBe(101);
  return connection;
}

/** Sends some bytes on the way to the upstream and back. */
async function echo(connection: RawConnection, text = 'ping'): Promise<void> {
  connection.send(text);
  expect(String(await connection.take(text.length))).toBe(text);
}

async function refusal(connection: RawConnection): Promise<unknown> {
  const response = await connection.response();
  return [response.status, response.json(), response.header('retry-after')];
}

const REFUSED = [
  503,
  expect.objectContaining({ message: 'Service Unavailable', code: 'LIMIT_WEBSOCKETS' }),
  '5',
];

/** Turns the hands until the metrics have this line: what ends may take its second for it. */
function untilMetric(line: string): Promise<void> {
  const wait = async (): Promise<void> => {
    while (!(await proxy.metrics()).split('\n').includes(line));
  };
  return runOut(clock, wait());
}

const untilOpen = (count: number): Promise<void> => untilMetric(`cognito_auth_proxy_websockets ${count}`);

describe('the number of WebSockets', () => {
  it('is limited: one more is 503, and those that are there go on, and requests do', async () => {
    await start({ limits: { webSockets: 2 } });
    const sockets = [await connect(), await connect()];
    const { connections } = proxy.upstream;
    expect(await refusal(await ask())).toEqual(REFUSED);
    expect(proxy.upstream.connections).toBe(connections);
    for (const socket of sockets) await echo(socket);
    expect((await proxy.request('GET /a HTTP/1.1')).status).toBe(200);
    await untilMetric(
      'cognito_auth_proxy_decisions_total{route="open",decision="fault",code="LIMIT_WEBSOCKETS"} 1',
    );
  });

  it('counts those that are about to be, and no more those that never came to be', async () => {
    await start({ limits: { webSockets: 1 } });
    const slow: HeldAnswer = held(raw('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n'));
    proxy.upstream.on('/ws', { ...slow, at: 'head' });
    const first = await ask();
    await slow.arrived;
    expect(await refusal(await ask())).toEqual(REFUSED);
    slow.release();
    expect((await first.response()).status).toBe(403);
    await untilOpen(0);
    proxy.upstream.on(
      '/ws',
      script(({ socket }) => void socket.resetAndDestroy(), 'head'),
    );
    expect((await (await ask()).response()).status).toBe(502);
    await untilOpen(0);
    proxy.upstream.on('/ws', upgradeEcho());
    await echo(await connect());
  });

  it('goes down when one is closed by either side', async () => {
    await start({ limits: { webSockets: 1 } });
    (await connect()).close();
    await untilOpen(0);
    proxy.upstream.on(
      '/ws',
      script(async ({ write, socket, tunnel }) => {
        tunnel(() => void socket.end());
        await write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      }, 'head'),
    );
    const second = await connect();
    second.send('go');
    await runOut(clock, second.closed);
    await untilOpen(0);
    proxy.upstream.on('/ws', upgradeEcho());
    await connect();
  });

  it('may be changed by a reload', async () => {
    await start({ limits: { webSockets: 1 } });
    await connect();
    proxy.reload({ server: { limits: { webSockets: 2 } }, routes: [OPEN_ROUTE] });
    await connect();
    expect(await refusal(await ask())).toEqual(REFUSED);
  });
});

describe('an idle WebSocket', () => {
  it('is closed after its time with 1001, and the log and the metrics say why', async () => {
    await start({ timeouts: { webSocketIdle: '10s' } });
    const socket = await connect();
    await echo(socket);
    clock.advance(9_999);
    await echo(socket);
    clock.advance(9_999);
    await echo(socket, 'still there');
    clock.advance(10_000);
    const frame = await runOut(clock, socket.rest());
    expect([frame[0], frame.readUInt16BE(2), frame.subarray(4).toString()]).toEqual([
      0x88,
      1001,
      'idle for too long',
    ]);
    await untilOpen(0);
    await untilMetric(
      'cognito_auth_proxy_decisions_total{route="open",decision="deny",code="LIMIT_WEBSOCKET_IDLE"} 1',
    );
    expect(proxy.log.filter(({ path }) => path === '/ws')).toMatchObject([
      { status: 101, decision: 'deny', code: 'LIMIT_WEBSOCKET_IDLE' },
    ]);
  });

  it('is kept by what comes from the upstream alone', async () => {
    await start({ timeouts: { webSocketIdle: '10s' } });
    const pushing = Promise.withResolvers<(text: string) => Promise<void>>();
    proxy.upstream.on(
      '/ws',
      script(async ({ write, tunnel }) => {
        tunnel(() => undefined);
        await write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
        pushing.resolve(write);
      }, 'head'),
    );
    const socket = await connect();
    const push = await pushing.promise;
    for (let i = 0; i < 5; i++) {
      clock.advance(9_000);
      await push('news');
      expect(String(await socket.take(4))).toBe('news');
    }
    clock.advance(10_000);
    expect((await runOut(clock, socket.rest())).readUInt16BE(2)).toBe(1001);
  });

  it('loses nothing of what the upstream sent together with its 101', async () => {
    await start({ timeouts: { webSocketIdle: '10s' } });
    const hello = 'hello'.repeat(100);
    proxy.upstream.on(
      '/ws',
      script(async ({ write, tunnel }) => {
        tunnel((bytes) => void write(bytes));
        const head = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
        await write(head + hello);
      }, 'head'),
    );
    const socket = await connect();
    expect(String(await socket.take(hello.length))).toBe(hello);
    await echo(socket);
  });

  it('may stay for ever where that was said', async () => {
    await start({ timeouts: { webSocketIdle: null } });
    const socket = await connect();
    clock.advance(86_400_000);
    await echo(socket);
  });
});
