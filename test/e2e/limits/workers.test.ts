import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ProxyConfig } from '../../support/proxy.ts';
import { openRaw, type RawConnection, requestBytes } from '../../support/raw-http.ts';
import {
  followServe,
  prepareSurroundings,
  runServe,
  type Served,
  type Surroundings,
} from '../../support/served.ts';
import { upgradeEcho } from '../../support/upstream-answers.ts';
import { UPGRADE_LINES } from '../../support/web-socket.ts';

// Every test starts processes of its own, on machines that may have little to give.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let place: Surroundings;
let served: Served;
let connections: RawConnection[];

beforeEach(async () => {
  place = await prepareSurroundings();
  place.upstream.on('*', upgradeEcho());
  connections = [];
});
afterEach(async () => {
  for (const connection of connections) connection.close();
  expect(await served.stop()).toBe(0);
  await place.stop();
});

async function serve(limits: NonNullable<NonNullable<ProxyConfig['server']>['limits']>): Promise<void> {
  const route = { id: 'open', match: { path: '/open' }, allow: 'public', upstream: 'board' } as const;
  place.write('some.yaml', place.complete({ routes: [route], server: { workers: 2, limits } }));
  served = await followServe(runServe(place.folder, ['serve', '--config', 'some.yaml']));
}

/** They are dealt out to the workers in turn. */
async function connect(): Promise<RawConnection> {
  const connection = await openRaw(served.proxy);
  connections.push(connection);
  return connection;
}

describe('two workers have half each of what is for all of them', () => {
  it('of the connections', async () => {
    await serve({ connections: 4 });
    for (let i = 0; i < 4; i++) {
      const connection = await connect();
      connection.send(requestBytes('GET /missing HTTP/1.1', ['Host: a']));
      expect((await connection.response()).status).toBe(404);
    }
    for (let i = 0; i < 2; i++) {
      expect((await (await connect()).response()).json()).toMatchObject({ code: 'LIMIT_CONNECTIONS' });
    }
  });

  it('of the WebSockets', async () => {
    await serve({ webSockets: 2 });
    const upgrade = async (): Promise<number> => {
      const connection = await connect();
      connection.send(requestBytes('GET /open HTTP/1.1', ['Host: a', ...UPGRADE_LINES, '', '']));
      return (await connection.head()).status;
    };
    expect([await upgrade(), await upgrade()]).toEqual([101, 101]);
    expect([await upgrade(), await upgrade()]).toEqual([503, 503]);
  });
});
