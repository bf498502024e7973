import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PAIR_A } from '../support/certificates.ts';
import { type KeyServer, startKeyServer } from '../support/key-server.ts';
import type { Program } from '../support/program.ts';
import { bearer, CLIENT_ID, POOL_ID, type ProxyConfig } from '../support/proxy.ts';
import { openRaw, type RawConnection, requestBytes } from '../support/raw-http.ts';
import {
  followServe,
  metricValue,
  prepareSurroundings,
  runServe,
  type Served,
  type Surroundings,
  takePort,
} from '../support/served.ts';
import { accessClaims, signToken } from '../support/token-factory.ts';
import { held } from '../support/upstream-answers.ts';

// Every test starts processes of its own, on machines that may have little to give.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const REQUESTS = 'cognito_auth_proxy_requests_total{route="open",status="2xx"}';
const DURATIONS = 'http_server_request_duration_seconds_count{method="GET",status="200"}';

let place: Surroundings;
let keys: KeyServer;
let program: Program | undefined;

beforeEach(async () => {
  place = await prepareSurroundings();
  keys = await startKeyServer(PAIR_A);
  keys.publish([place.key]);
});
afterEach(async () => {
  program?.signal('SIGKILL');
  // Also says that no worker has outlived it: they share its output, which is closed only when all are gone.
  await program?.exited;
  await keys.stop();
  await place.stop();
});

const open = (name = 'open'): ProxyConfig['routes'][number] => ({
  id: name,
  match: { path: `/${name}` },
  allow: 'public',
  upstream: 'board',
});
const posts: ProxyConfig['routes'][number] = {
  id: 'posts',
  match: { path: '/posts' },
  allow: 'authenticated',
  upstream: 'board',
};

/** Two workers, with keys that are fetched over https. */
function configure(config: Partial<ProxyConfig> = {}): string {
  const main = { userPoolId: POOL_ID, clientIds: [CLIENT_ID], issuer: keys.issuer(POOL_ID) };
  const complete = place.complete({
    userPools: { main },
    routes: [open(), posts],
    ...config,
    server: { workers: 2, ...config.server },
  });
  return place.write('some.yaml', complete);
}

const authority = (): Record<string, string> => ({ NODE_EXTRA_CA_CERTS: place.write('ca.pem', PAIR_A.cert) });

function run(): Program {
  program = runServe(place.folder, ['serve', '--config', 'some.yaml'], authority());
  return program;
}

const serve = (config?: Partial<ProxyConfig>): Promise<Served> => {
  configure(config);
  return followServe(run());
};

const token = (): string =>
  signToken(place.key, accessClaims({ issuer: keys.issuer(POOL_ID), clientId: CLIENT_ID }));

const workersOf = (served: Served): number[] =>
  served.log.filter((line) => line.message === 'a worker listens').map((line) => Number(line['worker']));

/** So many connections, each with a worker at its other end: they are dealt out in turn. */
const connect = (served: Served, count: number): Promise<RawConnection[]> =>
  Promise.all(Array.from({ length: count }, () => openRaw(served.proxy)));

async function ask(connection: RawConnection, path = '/open', headers: string[] = []): Promise<number> {
  connection.send(requestBytes(`GET ${path} HTTP/1.1`, ['Host: a', ...headers]));
  return (await connection.response()).status;
}

describe('two workers', () => {
  it('answer as one: one scrape counts exactly, and the keys are fetched once for both', async () => {
    const served = await serve();
    expect(workersOf(served)).toHaveLength(2);
    const connections = await connect(served, 10);
    for (let round = 0; round < 20; round += 1) {
      const statuses = await Promise.all(connections.map((connection) => ask(connection)));
      expect(new Set(statuses)).toEqual(new Set([200]));
    }
    const same = bearer(token());
    const good = await Promise.all(connections.map((each) => ask(each, '/posts', [same])));
    expect(new Set(good)).toEqual(new Set([200]));

    const metrics = await served.metrics();
    expect(metricValue(metrics, REQUESTS)).toBe(200);
    expect(metricValue(metrics, DURATIONS)).toBe(210);
    // Each verified the token once for itself, and remembered it.
    expect(metricValue(metrics, 'cognito_auth_proxy_token_cache_entries')).toBe(2);
    expect(metricValue(metrics, 'cognito_auth_proxy_token_cache_total{result="miss"}')).toBe(2);
    expect(metricValue(metrics, 'cognito_auth_proxy_token_cache_total{result="hit"}')).toBe(8);
    expect(metricValue(metrics, 'cognito_auth_proxy_jwks_fetch_total{pool="main",result="success"}')).toBe(1);
    expect(metricValue(metrics, 'cognito_auth_proxy_requests_in_flight')).toBe(0);
    expect(keys.requests).toBe(1);
    // One help and one type for each metric, as one process would have.
    const helps = metrics.match(/^# HELP \S+/gm) ?? [];
    expect(new Set(helps).size).toBe(helps.length);
    for (const connection of connections) connection.close();
    expect(await served.stop()).toBe(0);
  });

  it('leave a connection that one was handed and died before it took it to the other', async () => {
    const served = await serve();
    const [first] = workersOf(served);
    // It is handed one, and takes none.
    process.kill(first ?? 0, 'SIGSTOP');
    const connections = await connect(served, 6);
    let answered = 0;
    const statuses = connections.map(async (connection) => {
      const status = await ask(connection);
      answered += 1;
      return status;
    });
    while (answered < 5) await setImmediate();
    process.kill(first ?? 0, 'SIGKILL');
    expect(await Promise.all(statuses)).toEqual([200, 200, 200, 200, 200, 200]);
    await served.logged('a worker listens');
    for (const connection of connections) connection.close();
    expect(await served.stop()).toBe(0);
  });

  it('are replaced when killed, while the other goes on and no counter falls', async () => {
    const served = await serve();
    const [first] = workersOf(served);
    const before = await connect(served, 6);
    for (const connection of before) expect(await ask(connection)).toBe(200);
    expect(metricValue(await served.metrics(), REQUESTS)).toBe(6);

    process.kill(first ?? 0, 'SIGKILL');
    expect(await served.logged('a worker died and is replaced')).toMatchObject({
      level: 'error',
      worker: first,
      signal: 'SIGKILL',
    });
    const lost = 'lost with its worker';
    const fates = await Promise.all(before.map((connection) => ask(connection).catch(() => lost)));
    expect(new Set(fates)).toEqual(new Set([200, lost]));
    expect((await served.request('GET /open HTTP/1.1')).status).toBe(200);
    const answered = 6 + fates.filter((fate) => fate === 200).length + 1;
    expect(metricValue(await served.metrics(), REQUESTS)).toBe(answered);
    expect((await fetch(`${served.admin}/readyz`)).status).toBe(200);

    await served.logged('a worker listens');
    expect(new Set(workersOf(served)).size).toBe(3);
    const after = await connect(served, 6);
    for (const connection of after) expect(await ask(connection, '/posts', [bearer(token())])).toBe(200);
    const metrics = await served.metrics();
    expect(metricValue(metrics, REQUESTS)).toBe(answered);
    expect(metricValue(metrics, DURATIONS)).toBe(answered + 6);
    expect(await served.stop()).toBe(0);
  });

  it('all take over a new configuration; one with mistakes, none', async () => {
    const served = await serve();
    const connections = await connect(served, 6);
    configure({ routes: [open('new'), posts] });
    await served.logged('configuration taken over');
    const paths = (path: string) => Promise.all(connections.map((connection) => ask(connection, path)));
    expect(new Set(await paths('/new'))).toEqual(new Set([200]));
    expect(new Set(await paths('/open'))).toEqual(new Set([404]));
    place.write('some.yaml', 'routes: none');
    await served.logged('configuration refused; the last good one stays in force');
    expect(new Set(await paths('/new'))).toEqual(new Set([200]));
    const metrics = await served.metrics();
    const reloads = 'cognito_auth_proxy_config_reloads_total';
    expect(metricValue(metrics, `${reloads}{result="success"}`)).toBe(1);
    expect(metricValue(metrics, `${reloads}{result="failure"}`)).toBe(1);
    expect(await (await fetch(`${served.admin}/routes`)).json()).toMatchObject([
      { id: 'new' },
      { id: 'posts' },
    ]);
    // Its own successor knows it too.
    process.kill(workersOf(served)[0] ?? 0, 'SIGKILL');
    await served.logged('a worker listens');
    const later = await connect(served, 4);
    expect(await Promise.all(later.map((connection) => ask(connection, '/new')))).toEqual([
      200, 200, 200, 200,
    ]);
    expect(await served.stop()).toBe(0);
  });

  it('are not ready before all have keys; later a successor without keys does not change that', async () => {
    keys.behave('held');
    configure();
    run();
    const { admin, proxy } = await firstLine();
    await keys.requested(1);
    expect((await fetch(`${admin}/readyz`)).status).toBe(503);
    expect((await fetch(`${admin}/livez`)).status).toBe(200);
    expect((await fetch(`${proxy}/open`)).status).toBe(200);
    keys.release();
    while ((await fetch(`${admin}/readyz`)).status !== 200);

    keys.behave('error');
    process.kill(pids[0] ?? 0, 'SIGKILL');
    await lineWith('a worker listens');
    for (let i = 0; i < 10; i += 1) expect((await fetch(`${admin}/readyz`)).status).toBe(200);
  });

  it('on SIGTERM finish what they have, and the whole ends with exit code 0', async () => {
    const served = await serve({ server: { workers: 2, shutdown: { unready: '200ms', drain: '10s' } } });
    const slow = held();
    place.upstream.on('/open', slow);
    const connections = await connect(served, 4);
    const answers = connections.map((connection) => ask(connection));
    await place.upstream.request(3);
    served.program.signal('SIGTERM');
    await served.logged('stopping');
    expect((await fetch(`${served.admin}/readyz`)).status).toBe(503);
    slow.release();
    expect(await Promise.all(answers)).toEqual([200, 200, 200, 200]);
    expect(await served.program.exited).toEqual({ code: 0, signal: null });
    for (const pid of workersOf(served)) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  it('end with a primary that is killed', async () => {
    const served = await serve();
    served.program.signal('SIGKILL');
    // Its output is closed only when they are gone too.
    expect(await served.program.exited).toEqual({ code: null, signal: 'SIGKILL' });
  });

  it('do not start where the port is taken: exit code 1, and none is left', async () => {
    const taken = await takePort();
    configure({ server: { workers: 2, listen: `127.0.0.1:${taken.port}` } });
    const { exited } = run();
    expect(await exited).toEqual({ code: 1, signal: null });
    expect(program?.complaints).toMatch(/^cannot start: .*EADDRINUSE.*\n$/);
    await taken.giveBack();
  });

  const pids: number[] = [];
  async function lineWith(message: string): Promise<Record<string, unknown>> {
    for (;;) {
      const line = JSON.parse((await program?.line()) ?? '') as Record<string, unknown>;
      if (line['message'] === 'a worker listens') pids.push(Number(line['worker']));
      if (line['message'] === message) return line;
    }
  }
  async function firstLine(): Promise<{ proxy: string; admin: string }> {
    pids.length = 0;
    return (await lineWith('listening')) as unknown as { proxy: string; admin: string };
  }
});
