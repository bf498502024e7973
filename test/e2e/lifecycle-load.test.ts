import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { OPEN_ROUTE } from '../support/open-route.ts';
import type { Program } from '../support/program.ts';
import { type ProxyConfig, startProxy } from '../support/proxy.ts';
import { openRaw } from '../support/raw-http.ts';
import {
  followServe,
  prepareSurroundings,
  runServe,
  type Served,
  type Surroundings,
} from '../support/served.ts';
import { script } from '../support/upstream-answers.ts';

/** Clients that ask again and again, each on a connection that it keeps for as long as the proxy lets it. */
interface Load {
  readonly sent: number;
  /** How many connections each client has lost with a request under way. */
  readonly lost: readonly number[];
  /** Requests answered as they should be. */
  readonly answered: number;
  readonly statuses: ReadonlySet<number>;
  /** Resolves when so many requests have been sent. */
  reached(count: number): Promise<void>;
  /** No more connections from here on, as a load balancer does with a target that is not ready. */
  openNoMore(): void;
  /** No more requests from here on. */
  askNoMore(): void;
  /** Resolves when the last client has gone. */
  readonly over: Promise<unknown>;
}

const CLIENTS = 10;

function startLoad(origin: string): Load {
  const statuses = new Set<number>();
  const lost = new Array<number>(CLIENTS).fill(0);
  let sent = 0;
  let answered = 0;
  let opening = true;
  let asking = true;

  const ask = async (client: number): Promise<void> => {
    while (opening && asking) {
      const connection = await openRaw(origin);
      for (let kept = true; kept && asking; ) {
        const number = sent++;
        connection.send(
          number % 3 === 0
            ? `POST /${number} HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody`
            : `GET /${number} HTTP/1.1\r\nHost: a\r\n\r\n`,
        );
        const got = await connection.response().catch(() => null);
        if (got === null) {
          lost[client] = (lost[client] ?? 0) + 1;
          break;
        }
        if (got.text === `/${number}`) answered += 1;
        statuses.add(got.status);
        kept = got.header('connection') === 'keep-alive';
      }
      connection.close();
    }
  };

  return {
    get sent() {
      return sent;
    },
    get answered() {
      return answered;
    },
    statuses,
    lost,
    async reached(count) {
      while (sent < count) await setImmediate();
    },
    openNoMore() {
      opening = false;
    },
    askNoMore() {
      asking = false;
    },
    over: Promise.all(lost.map((_, client) => ask(client))),
  };
}

/** Answers with the last part of the path, some at once and some a few turns of the loop later. */
const echoPath = script(async ({ request, write }) => {
  const path = request.target.replace(/^.*\//, '/');
  for (let turns = path.length % 4; turns > 0; turns--) await setImmediate();
  await write(`HTTP/1.1 200 OK\r\nContent-Length: ${path.length}\r\n\r\n${path}`);
});

const routes: ProxyConfig['routes'] = [OPEN_ROUTE];

describe('under load, one process', () => {
  it('a stop loses no request', async () => {
    const proxy = await startProxy({ server: { shutdown: { unready: '200ms', drain: '5s' } }, routes });
    proxy.upstream.on('*', echoPath);
    const load = startLoad(proxy.origin);
    await load.reached(300);
    const stopped = proxy.service.stop();
    load.openNoMore();
    await stopped;
    await load.over;
    expect([load.answered, [...load.statuses]]).toEqual([load.sent, [200]]);
    expect(proxy.upstream.requests.length).toBe(load.sent);
    await proxy.stop();
  });

  it('reloads lose no request, whatever they change', async () => {
    const configs: ProxyConfig[] = [
      { routes },
      { routes, upstreams: { board: { timeouts: { keepAlive: '3s' } } } },
      { routes: [{ ...OPEN_ROUTE, upstream: 'other' }], upstreams: { other: {} } },
      { routes: [{ ...OPEN_ROUTE, id: 'renamed', timeouts: { response: '9s' } }] },
      { routes, upstreams: { board: { host: 'client' } }, tokenSources: [{ cookie: 'token' }] },
    ];
    const proxy = await startProxy({ routes });
    proxy.upstream.on('*', echoPath);
    const load = startLoad(proxy.origin);
    for (let i = 1; i <= 50; i++) {
      await load.reached(i * 20);
      await proxy.reload(configs[i % configs.length] as ProxyConfig);
      if (i % 10 === 0) {
        await expect(proxy.reload({ routes: [{ ...OPEN_ROUTE, upstream: 'missing' }] })).rejects.toThrow(
          'missing',
        );
      }
    }
    load.askNoMore();
    await load.over;
    expect([load.answered, [...load.statuses]]).toEqual([load.sent, [200]]);
    expect(proxy.upstream.requests.length).toBe(load.sent);
    await proxy.stop();
  });
});

describe('under load, several workers', () => {
  // Every test starts processes of its own, on machines that may have little to give.
  vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

  let place: Surroundings;
  let program: Program | undefined;

  beforeEach(async () => {
    place = await prepareSurroundings();
    place.upstream.on('*', echoPath);
  });
  afterEach(async () => {
    program?.signal('SIGKILL');
    await program?.exited;
    await place.stop();
  });

  const write = (config: Partial<ProxyConfig> = {}): void => {
    const server = { workers: 2, shutdown: { unready: '500ms', drain: '10s' } };
    place.write('some.yaml', place.complete({ routes, ...config, server }));
  };
  const serve = (): Promise<Served> => {
    write();
    program = runServe(place.folder, ['serve', '--config', 'some.yaml']);
    return followServe(program);
  };

  it('SIGTERM loses no request, and the exit is in good order', async () => {
    const served = await serve();
    const load = startLoad(served.proxy);
    await load.reached(300);
    const stopped = served.stop();
    load.openNoMore();
    expect(await stopped).toBe(0);
    await load.over;
    expect([load.answered, [...load.statuses]]).toEqual([load.sent, [200]]);
    expect(place.upstream.requests.length).toBe(load.sent);
  });

  it('reloads of the file lose no request, good ones and bad', async () => {
    const served = await serve();
    const load = startLoad(served.proxy);
    for (let i = 1; i <= 5; i++) {
      await load.reached(i * 100);
      if (i % 2 === 0) place.write('some.yaml', 'routes: [{ upstream: missing }');
      else write({ routes: [{ ...OPEN_ROUTE, id: `good-${i}` }] });
      served.program.signal('SIGHUP');
      await served.logged(
        i % 2 === 0 ? 'configuration refused; the last good one stays in force' : 'configuration taken over',
      );
    }
    await load.reached(load.sent + 100);
    load.askNoMore();
    await load.over;
    expect([load.answered, [...load.statuses]]).toEqual([load.sent, [200]]);
    expect(place.upstream.requests.length).toBe(load.sent);
    expect(await served.stop()).toBe(0);
  });

  it('a worker that is killed loses what it had under way, and nobody else loses anything', async () => {
    const served = await serve();
    const worker = served.log.find(({ message }) => message === 'a worker listens')?.['worker'];
    const load = startLoad(served.proxy);
    await load.reached(300);
    process.kill(Number(worker), 'SIGKILL');
    await served.logged('a worker died and is replaced');
    await served.logged('a worker listens');
    await load.reached(load.sent + 300);
    load.askNoMore();
    await load.over;
    // Each client of its had one request under way; those of the other had none cut.
    const lost = load.lost.reduce((sum, each) => sum + each, 0);
    expect(Math.max(...load.lost)).toBe(1);
    expect(Math.min(...load.lost)).toBe(0);
    expect([load.answered, [...load.statuses]]).toEqual([load.sent - lost, [200]]);
    expect(await served.stop()).toBe(0);
  });
});
