/** The machine runs out of what a process needs: descriptors, and room for its log. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { connectionsWithin, descriptorLimit } from '../../../src/listen/descriptors.ts';
import { OPEN_ROUTE } from '../../support/open-route.ts';
import { type Program, runProgram } from '../../support/program.ts';
import { bearer, type ProxyConfig } from '../../support/proxy.ts';
import { exchangeRaw, openRaw, type RawConnection, requestBytes } from '../../support/raw-http.ts';
import {
  followServe,
  metricValue,
  prepareSurroundings,
  SERVE_ENTRY,
  type Surroundings,
  takePort,
} from '../../support/served.ts';

// Every test starts a process of its own, on machines that may have little to give.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const CONFIG: ProxyConfig = {
  routes: [
    OPEN_ROUTE,
    { id: 'posts', match: { path: '/posts/{path+}' }, allow: 'authenticated', upstream: 'board' },
  ],
};

let place: Surroundings;
let program: Program | undefined;

beforeEach(async () => {
  place = await prepareSurroundings();
});
afterEach(async () => {
  program?.signal('SIGKILL');
  await program?.exited;
  await place.stop();
});

/** Starts the command by a line of shell, in which `"$@"` is the command. */
function runIn(shell: string, config: ProxyConfig): Program {
  const file = place.write('some.yaml', place.complete(config));
  const args = ['-c', shell, 'sh', process.execPath, SERVE_ENTRY, 'serve', '--config', file];
  program = runProgram('/bin/sh', args, { cwd: place.folder });
  return program;
}

const live = async (admin: string): Promise<number> => (await fetch(`${admin}/livez`)).status;

describe('when descriptors run out', () => {
  const DESCRIPTORS = 200;
  /** Half of what is left when 64 are kept back. */
  const TAKEN = 68;
  const TOO_FEW = 'fewer connections are taken than configured; raise ulimit -n';

  it('clients beyond them are told so, those within are served, probes are answered, and all is well again after it', async () => {
    const served = await followServe(runIn(`ulimit -n ${DESCRIPTORS}; exec "$@"`, CONFIG));
    expect(await served.logged(TOO_FEW)).toMatchObject({ level: 'warn', connections: TAKEN });

    const open = async (count: number): Promise<RawConnection[]> => {
      const clients: RawConnection[] = [];
      for (let i = 0; i < count; i++) clients.push(await openRaw(served.proxy));
      return clients;
    };
    const kept = await open(TAKEN);
    const [beyond] = await open(1);
    expect((await beyond?.response())?.json()).toMatchObject({ code: 'LIMIT_CONNECTIONS' });
    // Those that do not go when they are told to must not use up what is kept back.
    const staying = await open(DESCRIPTORS);
    expect(await live(served.admin)).toBe(200);
    // All at once, so that each has a connection to the upstream too.
    const request = requestBytes('GET /posts/1 HTTP/1.1', ['Host: a', bearer(place.token())]);
    for (const client of kept) client.send(request);
    const statuses = await Promise.all(kept.map(async (client) => (await client.response()).status));
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(await live(served.admin)).toBe(200);

    for (const client of [...kept, ...staying]) client.close();
    const got = await untilServed(() => served.request('GET /well HTTP/1.1'));
    expect(got.status).toBe(200);
    expect(await served.stop()).toBe(0);
    expect(served.log.filter(({ message }) => message === 'upstream address set aside')).toEqual([]);
  });

  it('half-sent requests to the admin port take them from nobody: clients, probes and reloads go on', async () => {
    const served = await followServe(runIn(`ulimit -n ${DESCRIPTORS}; exec "$@"`, CONFIG));
    const half: RawConnection[] = [];
    while (half.length < 2 * DESCRIPTORS) {
      const connection = await openRaw(served.admin);
      connection.send('GET /livez HTTP/1.1\r\n');
      half.push(connection);
    }
    for (let i = 0; i < 5; i++) {
      expect((await served.request('GET /well HTTP/1.1')).status).toBe(200);
      expect(await live(served.admin)).toBe(200);
    }
    place.write('some.yaml', place.complete({ routes: [OPEN_ROUTE] }));
    expect(await served.logged('configuration taken over')).toMatchObject({ routes: 1 });
    const warning = 'the admin port has as many connections as it takes';
    expect(served.log.filter(({ message }) => message === warning)).toHaveLength(1);
    for (const connection of half) connection.close();
    expect(await served.stop()).toBe(0);
  });
});

describe('as many idle connections as there are descriptors for, ten thousand at most', () => {
  // Each needs a descriptor of ours as well as one of the proxy's.
  const COUNT = Math.min(10_000, connectionsWithin(descriptorLimit()) - 100);

  it('keep nobody waiting', async () => {
    // However long it takes to open them all, none is to go for having said nothing.
    const timeouts = { headers: '10m', idle: '10m' };
    const served = await followServe(runIn('exec "$@"', { ...CONFIG, server: { timeouts } }));
    const request = requestBytes('GET /well HTTP/1.1', ['Host: a']);
    const idle: RawConnection[] = [];
    while (idle.length < COUNT) {
      const more = Array.from({ length: Math.min(200, COUNT - idle.length) }, () => openRaw(served.proxy));
      idle.push(...(await Promise.all(more)));
    }
    // Some have asked something before, the others never.
    for (const connection of idle.slice(0, 500)) {
      connection.send(request);
      expect((await connection.response()).status).toBe(200);
    }
    const metrics = await served.metrics();
    expect(metricValue(metrics, 'cognito_auth_proxy_client_connections')).toBe(COUNT);
    expect(metricValue(metrics, 'cognito_auth_proxy_requests_in_flight')).toBe(0);

    for (let i = 0; i < 50; i++) {
      expect((await served.request('GET /well HTTP/1.1')).status).toBe(200);
      const posts = await served.request('GET /posts/1 HTTP/1.1', [bearer(place.token())]);
      expect(posts.status).toBe(200);
    }
    expect(await live(served.admin)).toBe(200);
    for (const connection of idle) connection.reset();
    expect(await served.stop()).toBe(0);
  });
});

describe('when the disk under the log is full', () => {
  it('requests are judged and answered, probes too, and it still ends in good order', async () => {
    const [proxy, admin] = [await takePort(), await takePort()];
    const origin = `http://127.0.0.1:${proxy.port}`;
    await proxy.giveBack();
    await admin.giveBack();
    const running = runIn('exec "$@" > /dev/full', {
      ...CONFIG,
      server: { listen: `127.0.0.1:${proxy.port}` },
      admin: { listen: `127.0.0.1:${admin.port}` },
    });
    await untilServed(async () => {
      const { status } = await fetch(`http://127.0.0.1:${admin.port}/readyz`);
      return { status };
    });
    const ask = (path: string, ...lines: string[]) =>
      exchangeRaw(origin, requestBytes(`GET ${path} HTTP/1.1`, ['Host: a', ...lines]));
    for (let i = 0; i < 100; i++) {
      expect((await ask('/posts/1')).status).toBe(401);
      expect((await ask('/posts/1', bearer(place.token()))).status).toBe(200);
    }
    expect(await live(`http://127.0.0.1:${admin.port}`)).toBe(200);
    running.signal('SIGTERM');
    expect(await running.exited).toEqual({ code: 0, signal: null });
    expect(running.complaints).toBe('');
  });
});

/** Tries until there is an answer with 200; the test's own time limit ends it. */
async function untilServed<T extends { readonly status: number }>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    const got = await ask().catch(() => null);
    if (got?.status === 200) return got;
  }
}
