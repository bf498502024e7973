import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createAdminServer } from '../../../src/listen/admin-server.ts';
import { ADMIN_CONNECTIONS } from '../../../src/listen/descriptors.ts';
import { createFakeClock, type FakeClock } from '../../support/fake-clock.ts';
import { exchangeRaw, openRaw, type RawConnection } from '../../support/raw-http.ts';
import { type LogLine, recordingLogger } from '../../support/recording-logger.ts';

// One of them waits for node to look for requests that take too long.
vi.setConfig({ testTimeout: 30_000 });

const HALF = 'GET /livez HTTP/1.1\r\nHost: a\r\n';
const LIVEZ = `${HALF}\r\n`;
const HELD = 'GET /held HTTP/1.1\r\nHost: a\r\n\r\n';

let clock: FakeClock;
let server: Server;
let origin: string;
let lines: LogLine[];
let held: ServerResponse[];
let opened: RawConnection[];

beforeEach(async () => {
  clock = createFakeClock();
  [lines, held, opened] = [[], [], []];
  server = createAdminServer(
    (request, response) => {
      if (request.url !== '/held') return void response.end('ok');
      response.flushHeaders();
      held.push(response);
    },
    { clock, logger: recordingLogger(lines) },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  for (const connection of opened) connection.close();
  await new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
});

/** Connections on which this has been sent. */
async function open(count: number, bytes: string): Promise<RawConnection[]> {
  const some: RawConnection[] = [];
  for (let i = 0; i < count; i++) {
    const connection = await openRaw(origin);
    connection.send(bytes);
    some.push(connection);
  }
  opened.push(...some);
  return some;
}

const livez = async (): Promise<number> => (await exchangeRaw(origin, LIVEZ)).status;

/** Open connections, as the server's own books have them. */
const connections = (): Promise<number> =>
  new Promise((resolve, reject) =>
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
  );

it('is answered though half-sent requests fill the port, of which the oldest make room', async () => {
  const some = await open(3 * ADMIN_CONNECTIONS, HALF);
  await Promise.all(some.slice(0, -ADMIN_CONNECTIONS).map(({ closed }) => closed));
  expect(await connections()).toBeLessThanOrEqual(ADMIN_CONNECTIONS);
  for (let i = 0; i < 10; i++) expect(await livez()).toBe(200);
  // Ten older ones have made room for them.
  const [newest] = some.slice(-1);
  newest?.send('\r\n');
  expect((await newest?.response())?.status).toBe(200);
});

it('whoever is being answered stays, and who comes then is let go', async () => {
  const listeners = await open(ADMIN_CONNECTIONS, HELD);
  for (const listener of listeners) expect((await listener.head()).status).toBe(200);
  const [beyond] = await open(1, LIVEZ);
  await beyond?.closed;
  await expect(beyond?.response()).rejects.toThrow('closed');

  held[0]?.end('done');
  await listeners[0]?.takeUntil('done');
  // Its connection is idle now.
  expect(await livez()).toBe(200);
  await listeners[0]?.closed;
  for (const response of held.slice(1)) response.end('done');
  for (const listener of listeners.slice(1)) await listener.takeUntil('done');
});

it('a request that is not sent to the end is given up within seconds', async () => {
  const since = performance.now();
  const [half] = await open(1, HALF);
  expect((await half?.response())?.status).toBe(408);
  await half?.closed;
  expect(performance.now() - since).toBeLessThan(10_000);
});

it('says so, once a minute', async () => {
  const fill = async (): Promise<void> => {
    const [first] = await open(ADMIN_CONNECTIONS + 1, HALF);
    await first?.closed;
  };
  const warning = {
    level: 'warn',
    message: 'the admin port has as many connections as it takes',
    connections: ADMIN_CONNECTIONS,
  };
  await open(ADMIN_CONNECTIONS, HALF);
  await livez();
  expect(lines).toEqual([warning]);
  clock.advance(59_999);
  await fill();
  expect(lines).toHaveLength(1);
  clock.advance(1);
  await fill();
  expect(lines).toEqual([warning, warning]);
});
