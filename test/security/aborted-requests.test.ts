/**
 * A client may leave at any moment: httpxy #79 let an unhandled error of a socket end the process when an upgrade was
 * reset. Errors that nobody handles fail this whole file.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SHAPES, type Shape, untilIdle } from '../support/attack.ts';
import { bearer, type ProxyUnderTest, startProxy } from '../support/proxy.ts';
import { openRaw, type RawConnection, requestBytes } from '../support/raw-http.ts';
import { held, script, upgradeEcho } from '../support/upstream-answers.ts';

let proxy: ProxyUnderTest;

beforeAll(async () => {
  proxy = await startProxy({
    routes: [
      { id: 'open', match: { path: '/public/{path+}' }, allow: 'public', upstream: 'board' },
      { id: 'members', match: { path: '/members' }, allow: 'authenticated', upstream: 'board' },
    ],
  });
});
afterAll(() => proxy.stop());

const UPGRADE = ['Connection: Upgrade', 'Upgrade: websocket'];

function bytesOf(shape: Shape, target: string, lines: readonly string[] = []): string {
  return requestBytes(`GET ${target} HTTP/1.1`, [
    'Host: x',
    ...(shape === 'upgrade' ? UPGRADE : []),
    ...lines,
  ]);
}

/** The proxy is as if nothing had happened: nothing in flight, and the next request is answered. */
async function expectUnharmed(): Promise<void> {
  await untilIdle(proxy);
  proxy.upstream.forget();
  expect((await proxy.request('GET /public/after HTTP/1.1')).status).toBe(200);
}

const WAYS: readonly ['closes' | 'resets', (connection: RawConnection) => void][] = [
  ['closes', (connection) => connection.close()],
  ['resets', (connection) => connection.reset()],
];

describe.each(SHAPES)('as %s', (shape) => {
  describe.each(WAYS)('the client %s its connection', (_, leave) => {
    it('in the middle of the header section', async () => {
      const connection = await openRaw(proxy.origin);
      connection.send(bytesOf(shape, '/public/x').slice(0, -7));
      leave(connection);
      await expectUnharmed();
    });

    it('as soon as the request is out', async () => {
      const connection = await openRaw(proxy.origin);
      connection.send(bytesOf(shape, '/public/x'));
      leave(connection);
      await expectUnharmed();
    });

    it('while its token waits for a key', async () => {
      const waiting = await startProxy(
        {
          routes: [{ id: 'members', match: { path: '/members' }, allow: 'authenticated', upstream: 'board' }],
        },
        { awaitReady: false, prepareKeys: (keys) => keys.behave('held') },
      );
      const connection = await openRaw(waiting.origin);
      connection.send(bytesOf(shape, '/members', [bearer(waiting.token())]));
      while (!(await waiting.metrics()).includes('requests_in_flight 1\n'));
      leave(connection);
      await untilIdle(waiting);
      waiting.keys.release();
      // A token of the same key is verified once the keys are there, and so would the other have been.
      expect((await waiting.request('GET /members HTTP/1.1', [bearer(waiting.token())])).status).toBe(200);
      expect(waiting.upstream.connections).toBe(1);
      await waiting.stop();
    });

    it('while the upstream thinks, which then need think no longer', async () => {
      const answer = held();
      proxy.upstream.on('/public/slow', answer);
      const connection = await openRaw(proxy.origin);
      connection.send(bytesOf(shape, '/public/slow'));
      const { connection: number } = await answer.arrived;
      leave(connection);
      await proxy.upstream.closed(number);
      await expectUnharmed();
    });

    it('in the middle of the answer', async () => {
      const begun = script(async ({ write }) => {
        await write('HTTP/1.1 200 Scripted\r\nContent-Length: 1000000\r\n\r\nbeginning');
      });
      proxy.upstream.on('/public/long', begun);
      const connection = await openRaw(proxy.origin);
      connection.send(bytesOf(shape, '/public/long'));
      await connection.takeUntil('beginning');
      leave(connection);
      await expectUnharmed();
    });

    it('after a refusal', async () => {
      const connection = await openRaw(proxy.origin);
      connection.send(bytesOf(shape, '/members'));
      await connection.response();
      leave(connection);
      await expectUnharmed();
    });
  });

  it('the client asks, half-closes and waits, and is let go', async () => {
    const connection = await openRaw(proxy.origin);
    connection.send(bytesOf(shape, '/members'));
    connection.end();
    await connection.closed;
    connection.close();
    await expectUnharmed();
  });
});

describe('upgrades', { timeout: 120_000 }, () => {
  it('are reset a thousand times, before and after they are answered', async () => {
    proxy.upstream.on('/public/ws', upgradeEcho());
    for (let i = 0; i < 1_000; i++) {
      const connection = await openRaw(proxy.origin);
      connection.send(bytesOf('upgrade', i % 3 === 0 ? '/members' : '/public/ws'));
      if (i % 2 === 0) await connection.head();
      if (i % 4 === 0) connection.send('\x81\x01a');
      connection.reset();
    }
    await expectUnharmed();
  });

  it('that are refused are closed by the proxy, though the client keeps its side open', async () => {
    const connection = await openRaw(proxy.origin);
    connection.send(bytesOf('upgrade', '/members'));
    expect((await connection.response()).status).toBe(401);
    await connection.closed;
    await untilIdle(proxy);
    connection.close();
  });
});

describe('a body', () => {
  it.each(WAYS)('breaks off: the client %s its connection', async (_, leave) => {
    const connection = await openRaw(proxy.origin);
    connection.send('POST /public/x HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nbeginning');
    const { connections, requests } = proxy.upstream;
    while (proxy.upstream.openConnections === 0) await proxy.metrics();
    leave(connection);
    await untilIdle(proxy);
    expect(proxy.upstream.requests).toEqual(requests);
    expect(proxy.upstream.connections - connections).toBeLessThanOrEqual(1);
    await expectUnharmed();
  });
});
