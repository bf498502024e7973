import { once } from 'node:events';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { OPEN_ROUTE } from '../support/open-route.ts';
import { bearer, type ProxyUnderTest, startProxy } from '../support/proxy.ts';
import { settleDown } from '../support/settle-down.ts';
import { script, upgradeEcho } from '../support/upstream-answers.ts';
import { type EchoServer, openWebSocket, sendUpgrade, startEchoServer } from '../support/web-socket.ts';

/** More than all the sockets' buffers on the way can hold. */
const LARGE = 64 * 1024 * 1024;

let echo: EchoServer;
let proxy: ProxyUnderTest;

beforeAll(async () => {
  echo = await startEchoServer((offered) => (offered.has('chat') ? 'chat' : false));
  proxy = await startProxy({
    tokenSources: ['authorization', 'websocketProtocol'],
    upstreams: { echo: { url: echo.origin } },
    routes: [
      OPEN_ROUTE,
      { ...OPEN_ROUTE, id: 'echo', match: { path: '/echo' }, allow: 'authenticated', upstream: 'echo' },
      { ...OPEN_ROUTE, id: 'members', match: { path: '/members' }, allow: 'authenticated' },
      {
        ...OPEN_ROUTE,
        id: 'forwarded',
        match: { path: '/forwarded' },
        allow: 'authenticated',
        forwardToken: true,
      },
      { ...OPEN_ROUTE, id: 'rewritten', match: { path: '/ws/{path+}' }, rewrite: { stripPrefix: '/ws' } },
    ],
  });
});
afterAll(async () => {
  await proxy.stop();
  await echo.stop();
});
beforeEach(() => proxy.upstream.forget());

const authorization = () => ({ authorization: `Bearer ${proxy.token()}` });

describe('a WebSocket', () => {
  it.each([
    ['text', 'hello, 안녕'],
    ['nothing', ''],
    ['bytes', Buffer.from([0, 1, 2, 255])],
    ['1 MiB of text', 'x'.repeat(2 ** 20)],
    ['8 MiB of bytes', Buffer.alloc(2 ** 23, 7)],
  ])('carries %s both ways', async (_what, message) => {
    const webSocket = await openWebSocket(proxy, '/echo', authorization());
    webSocket.send(message);
    const [data, isBinary] = (await once(webSocket, 'message')) as [Buffer, boolean];
    expect(isBinary).toBe(typeof message !== 'string');
    expect(data.equals(Buffer.from(message))).toBe(true);
    webSocket.close();
    await once(webSocket, 'close');
  });

  it('carries a thousand messages in order, with the extensions that the two ends agreed on', async () => {
    const webSocket = await openWebSocket(proxy, '/echo', authorization());
    expect(webSocket.extensions).toBe('permessage-deflate');
    const received: string[] = [];
    webSocket.on('message', (data) => received.push(String(data)));
    for (let i = 0; i < 1000; i++) webSocket.send(`message ${i}`);
    while (received.length < 1000) await once(webSocket, 'message');
    expect(received).toEqual(Array.from({ length: 1000 }, (_, i) => `message ${i}`));
    webSocket.close();
    await once(webSocket, 'close');
  });

  it('is closed with the code and reason that one end gives the other', async () => {
    const connected = echo.connected();
    const webSocket = await openWebSocket(proxy, '/echo', authorization());
    const upstream = await connected;
    const closed = once(upstream, 'close') as Promise<[number, Buffer]>;
    webSocket.close(4321, 'enough');
    const [code, reason] = await closed;
    expect([code, reason.toString()]).toEqual([4321, 'enough']);
  });

  it('reaches the upstream as the caller’s, on the rewritten path, without the token', async () => {
    proxy.upstream.on('*', upgradeEcho());
    const connection = await sendUpgrade(proxy, '/members?x=1', [
      bearer(proxy.token()),
      'X-Cognito-Sub: forged',
      'Origin: https://app',
    ]);
    const { status } = await connection.head();
    const seen = await proxy.upstream.request(0);
    expect([status, seen.requestLine]).toEqual([101, 'GET /members?x=1 HTTP/1.1']);
    expect(
      ['authorization', 'x-cognito-username', 'origin', 'upgrade', 'connection', 'content-length'].map(
        seen.values,
      ),
    ).toEqual([[], ['alice'], ['https://app'], ['websocket'], ['Upgrade'], []]);
    expect(seen.values('x-cognito-sub')).not.toContain('forged');
    connection.close();

    const other = await sendUpgrade(proxy, '/ws/room/1?y');
    await other.head();
    expect((await proxy.upstream.request(1)).target).toBe('/room/1?y');
    other.close();
  });

  it('is accepted with our request id, and the upstream’s headers', async () => {
    proxy.upstream.on(
      '/ids',
      upgradeEcho('websocket', [
        'Sec-WebSocket-Accept: abc',
        'Set-Cookie: a=1',
        'Set-Cookie: b=2',
        'X-Request-Id: theirs',
      ]),
    );
    const connection = await sendUpgrade(proxy, '/ids', ['X-Request-Id: mine-1']);
    const { status, reason, headers } = await connection.head();
    expect([status, reason]).toEqual([101, 'Switching Protocols']);
    expect(headers.map(([name, value]) => [name.toLowerCase(), value])).toEqual([
      ['connection', 'Upgrade'],
      ['upgrade', 'websocket'],
      ['sec-websocket-accept', 'abc'],
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
      ['x-request-id', 'mine-1'],
    ]);
    connection.close();
  });

  it('may bring its first bytes with the upgrade, and get some with the answer', async () => {
    proxy.upstream.on(
      '/eager',
      script(async ({ write, tunnel }) => {
        tunnel((bytes) => void write(`<${bytes.toString('latin1')}>`));
        await write(
          'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nwelcome ',
        );
      }, 'head'),
    );
    const connection = await sendUpgrade(proxy, '/eager', [], 'eager');
    expect((await connection.head()).status).toBe(101);
    expect((await connection.takeUntil('>')).toString()).toBe('welcome <eager>');
    connection.close();
  });

  it('is logged and counted once, when it ends', async () => {
    proxy.upstream.on('/logged', upgradeEcho());
    const connection = await sendUpgrade(proxy, '/logged');
    await connection.head();
    expect(proxy.log.some((line) => line['path'] === '/logged')).toBe(false);
    connection.close();
    expect(await proxy.logged('/logged')).toMatchObject({ status: 101, decision: 'allow', route: 'open' });
  });
});

describe('backpressure', () => {
  it.each(['upstream', 'client'])('holds back whoever sends while the %s does not read', async (reader) => {
    let upstream: { write(bytes: Buffer): Promise<void> } | undefined;
    let received = 0;
    const resumed = Promise.withResolvers<() => void>();
    proxy.upstream.on(
      '/pressed',
      script(async ({ socket, write, tunnel }) => {
        upstream = { write };
        tunnel((bytes) => {
          received += bytes.length;
        });
        await write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
        if (reader === 'upstream') socket.pause();
        resumed.resolve(() => socket.resume());
      }, 'head'),
    );
    const connection = await sendUpgrade(proxy, '/pressed');
    await connection.head();
    const resumeUpstream = await resumed.promise;
    const { socket } = connection;
    socket.removeAllListeners('data');
    if (reader === 'client') socket.pause();
    socket.on('data', (bytes: Buffer) => {
      received += bytes.length;
    });
    if (reader === 'client') socket.pause();

    const piece = Buffer.alloc(65_536, 'x');
    let sent = 0;
    const sending = (async () => {
      for (; sent < LARGE; sent += piece.length) {
        if (reader === 'client') await upstream?.write(piece);
        else await new Promise((resolve) => socket.write(piece, resolve));
      }
    })();
    expect(await settleDown(proxy, () => sent)).toBeLessThan(LARGE / 2);
    if (reader === 'client') socket.resume();
    else resumeUpstream();
    await sending;
    await settleDown(proxy, () => received);
    expect(received).toBe(LARGE);
    connection.close();
  });
});

describe('subprotocols', () => {
  const offeredTo = async (path: string, protocols: readonly string[], headers = {}) => {
    const webSocket = await openWebSocket(proxy, path, headers, protocols);
    const chosen = webSocket.protocol;
    webSocket.close();
    await once(webSocket, 'close');
    return [echo.requests.at(-1)?.headers['sec-websocket-protocol'], chosen];
  };

  it('are the upstream’s to choose from', async () => {
    expect(await offeredTo('/echo', ['other', 'chat'], authorization())).toEqual(['other, chat', 'chat']);
  });

  it('may carry the token, which goes no further', async () => {
    expect(await offeredTo('/echo', ['bearer', proxy.token(), 'chat'])).toEqual(['chat', 'chat']);
    expect(await offeredTo('/echo', ['chat', 'bearer', proxy.token()])).toEqual(['chat', 'chat']);
  });

  it('that carried nothing but the token are answered with `bearer`, or a browser would give up', async () => {
    expect(await offeredTo('/echo', ['bearer', proxy.token()])).toEqual([undefined, 'bearer']);
    expect(await offeredTo('/echo', ['bearer', proxy.token(), 'other'])).toEqual(['other', 'bearer']);
  });

  it('are left alone where the token is forwarded, and where it is not looked for', async () => {
    proxy.upstream.on('*', upgradeEcho());
    const token = proxy.token();
    const connection = await sendUpgrade(proxy, '/forwarded', [`Sec-WebSocket-Protocol: bearer, ${token}`]);
    expect((await connection.head()).header('sec-websocket-protocol')).toBeUndefined();
    expect((await proxy.upstream.request(0)).values('sec-websocket-protocol')).toEqual([`bearer, ${token}`]);
    connection.close();
  });
});

describe('Upgrade to something else', () => {
  it.each([
    [
      'h2c',
      'GET',
      ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'],
    ],
    [
      'h2c with a body',
      'POST',
      ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'],
    ],
    ['TLS', 'OPTIONS', ['Connection: Upgrade', 'Upgrade: TLS/1.0']],
    ['a WebSocket, among others', 'GET', ['Connection: Upgrade', 'Upgrade: websocket, h2c']],
    ['a WebSocket by POST', 'POST', ['Connection: Upgrade', 'Upgrade: websocket']],
    ['a WebSocket, not meant for this hop', 'GET', ['Upgrade: websocket']],
  ])('is a plain request: %s', async (_what, method, lines) => {
    const got = await proxy.request(`${method} /plain HTTP/1.1`, lines, method === 'POST' ? 'body' : '');
    expect([got.status, got.text]).toEqual([200, 'ok']);
    const seen = await proxy.upstream.request(0);
    expect([seen.values('upgrade'), seen.values('http2-settings'), seen.values('connection')]).toEqual([
      [],
      [],
      [],
    ]);
  });
});
