import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { OPEN_ROUTE } from '../support/open-route.ts';
import { type ProxyConfig, type ProxyUnderTest, startProxy } from '../support/proxy.ts';
import { openRaw } from '../support/raw-http.ts';
import { script } from '../support/upstream-answers.ts';

/** Clients that ask again and again, each on a connection that it keeps for as long as the proxy lets it. */
interface Load {
  readonly sent: number;
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

function startLoad(proxy: ProxyUnderTest): Load {
  const statuses = new Set<number>();
  let sent = 0;
  let answered = 0;
  let opening = true;
  let asking = true;

  const ask = async (): Promise<void> => {
    while (opening && asking) {
      const connection = await openRaw(proxy.origin);
      for (let kept = true; kept && asking; ) {
        const number = sent++;
        connection.send(
          number % 3 === 0
            ? `POST /${number} HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody`
            : `GET /${number} HTTP/1.1\r\nHost: a\r\n\r\n`,
        );
        const got = await connection.response().catch(() => null);
        if (got === null) break;
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
    async reached(count) {
      while (sent < count) await setImmediate();
    },
    openNoMore() {
      opening = false;
    },
    askNoMore() {
      asking = false;
    },
    over: Promise.all(Array.from({ length: CLIENTS }, ask)),
  };
}

/** Answers with the last part of the path, some at once and some a few turns of the loop later. */
const echoPath = script(async ({ request, write }) => {
  const path = request.target.replace(/^.*\//, '/');
  for (let turns = path.length % 4; turns > 0; turns--) await setImmediate();
  await write(`HTTP/1.1 200 OK\r\nContent-Length: ${path.length}\r\n\r\n${path}`);
});

const routes: ProxyConfig['routes'] = [OPEN_ROUTE];

describe('under load', () => {
  it('a stop loses no request', async () => {
    const proxy = await startProxy({ server: { shutdown: { unready: '200ms', drain: '5s' } }, routes });
    proxy.upstream.on('*', echoPath);
    const load = startLoad(proxy);
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
    const load = startLoad(proxy);
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
