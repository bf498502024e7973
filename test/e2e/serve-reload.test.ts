import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PAIR_A, PAIR_B } from '../support/certificates.ts';
import { bearer, CLIENT_ID, POOL_ID, type ProxyConfig } from '../support/proxy.ts';
import { openRaw, requestBytes } from '../support/raw-http.ts';
import {
  followServe,
  ISSUER,
  metricValue,
  prepareSurroundings,
  runServe,
  type Served,
  type Surroundings,
} from '../support/served.ts';
import { accessClaims, keySet, makeKey, type SigningKey, signToken } from '../support/token-factory.ts';

// Every test starts processes of its own, on machines that may have little to give.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const TAKEN_OVER = 'configuration taken over';
const REFUSED = 'configuration refused; the last good one stays in force';
const NEEDS_RESTART = 'these changes take effect only after a restart';
const RELOADS = 'cognito_auth_proxy_config_reloads_total';

let place: Surroundings;
let served: Served | undefined;

beforeEach(async () => {
  place = await prepareSurroundings();
});
afterEach(async () => {
  served?.program.signal('SIGKILL');
  await served?.program.exited;
  await place.stop();
});

async function serve(config: ProxyConfig, file = place.write('some.yaml', place.complete(config))) {
  served = await followServe(runServe(place.folder, ['serve', '--config', file]));
  return served;
}

const routed = (...names: string[]): ProxyConfig => ({
  routes: names.map((name) => ({
    id: name,
    match: { path: `/${name}` },
    allow: 'public' as const,
    upstream: 'board',
  })),
});

describe('a changed configuration takes effect without a restart', () => {
  const changes: [string, (path: string, text: string, running: Served) => void][] = [
    [
      'renamed over the old one',
      (path, text) => {
        writeFileSync(`${path}.new`, text);
        renameSync(`${path}.new`, path);
      },
    ],
    ['written in place', (path, text) => writeFileSync(path, text)],
  ];

  it.each(changes)('when it is %s', async (_, change) => {
    const file = place.write('some.yaml', place.complete(routed('old')));
    const running = await serve(routed('old'), file);
    await seesTheChange(running, () => change(file, place.complete(routed('new')), running));
    expect(await running.stop()).toBe(0);
  });

  it('when an orchestrator swaps the link that leads to it, as for a ConfigMap', async () => {
    const version = (name: string, text: string): void => {
      mkdirSync(join(place.folder, name));
      writeFileSync(join(place.folder, name, 'some.yaml'), text);
      writeFileSync(join(place.folder, name, 'jwks.json'), readFileSync(join(place.folder, 'jwks.json')));
    };
    const link = (name: string): void => {
      symlinkSync(name, join(place.folder, '..data_tmp'));
      renameSync(join(place.folder, '..data_tmp'), join(place.folder, '..data'));
    };
    version('..1', place.complete(routed('old')));
    link('..1');
    symlinkSync('..data/some.yaml', join(place.folder, 'some.yaml'));
    const running = await serve(routed('old'), join(place.folder, 'some.yaml'));
    await seesTheChange(running, () => {
      version('..2', place.complete(routed('new')));
      link('..2');
    });
    await seesTheChange(running, () => {
      version('..3', place.complete(routed('old')));
      link('..3');
    }, ['new', 'old']);
  });

  it('on SIGHUP, also when nothing has changed', async () => {
    const running = await serve(routed('old'));
    running.program.signal('SIGHUP');
    await running.logged(TAKEN_OVER);
    running.program.signal('SIGHUP');
    await running.logged(TAKEN_OVER);
    expect(metricValue(await running.metrics(), `${RELOADS}{result="success"}`)).toBe(2);
  });

  it('for a file that it names, such as the keys of a pool', async () => {
    const running = await serve({
      routes: [{ id: 'posts', match: { path: '/posts' }, allow: 'authenticated', upstream: 'board' }],
    });
    const ask = async (signer: SigningKey) => {
      const token = signToken(signer, accessClaims({ issuer: ISSUER, clientId: CLIENT_ID }));
      return (await running.request('GET /posts HTTP/1.1', [bearer(token)])).status;
    };
    const next = makeKey('next');
    expect([await ask(place.key), await ask(next)]).toEqual([200, 401]);
    place.write('jwks.json', JSON.stringify(keySet(next)));
    await running.logged(TAKEN_OVER);
    await running.logged('keys removed by the issuer');
    expect([await ask(next), await ask(place.key)]).toEqual([200, 401]);
  });

  /** The same connection is used before and after: a reload drops none. */
  async function seesTheChange(running: Served, change: () => void, [before, after] = ['old', 'new']) {
    const connection = await openRaw(running.proxy);
    const ask = async (name: string): Promise<number> => {
      connection.send(requestBytes(`GET /${name} HTTP/1.1`, ['Host: a']));
      return (await connection.response()).status;
    };
    expect([await ask(before ?? ''), await ask(after ?? '')]).toEqual([200, 404]);
    change();
    expect(await running.logged(TAKEN_OVER)).toMatchObject({ level: 'info', routes: 1 });
    expect([await ask(before ?? ''), await ask(after ?? '')]).toEqual([404, 200]);
    connection.close();
  }
});

describe('a configuration with mistakes', () => {
  it('is reported with all of them and counted, the last good one stays, and the next good one is taken', async () => {
    const running = await serve(routed('old'));
    expect(metricValue(await running.metrics(), `${RELOADS}{result="failure"}`)).toBe(0);

    place.write(
      'some.yaml',
      'userPools: {}\nupstreams: { board: { url: 1 } }\nroutes: [{ id: old, allow: public }]\n',
    );
    const refused = await running.logged(REFUSED);
    expect(refused['level']).toBe('error');
    expect(refused['problems']).toEqual([
      expect.stringMatching(/some\.yaml:2:\d+: upstreams\.board\.url: /),
      expect.stringMatching(/some\.yaml:3:\d+: routes\[0\]\.match: is missing/),
      expect.stringMatching(/some\.yaml:3:\d+: routes\[0\]\.upstream: is missing/),
    ]);
    expect((await running.request('GET /old HTTP/1.1')).status).toBe(200);
    const metrics = await running.metrics();
    expect(metricValue(metrics, `${RELOADS}{result="failure"}`)).toBe(1);
    expect(metricValue(metrics, `${RELOADS}{result="success"}`)).toBe(0);

    place.write('some.yaml', place.complete(routed('new')));
    await running.logged(TAKEN_OVER);
    expect((await running.request('GET /new HTTP/1.1')).status).toBe(200);
    expect(metricValue(await running.metrics(), `${RELOADS}{result="success"}`)).toBe(1);
    expect(await running.stop()).toBe(0);
  });

  it('tells since when the one in force is in force', async () => {
    const series = 'cognito_auth_proxy_config_last_reload_success_timestamp_seconds';
    const running = await serve(routed('old'));
    const first = metricValue(await running.metrics(), series) ?? 0;
    expect(Math.abs(first - Date.now() / 1000)).toBeLessThan(60);
    place.write('some.yaml', 'nothing: good');
    await running.logged(REFUSED);
    expect(metricValue(await running.metrics(), series)).toBe(first);
    place.write('some.yaml', place.complete(routed('new')));
    await running.logged(TAKEN_OVER);
    expect(metricValue(await running.metrics(), series)).toBeGreaterThan(first);
  });
});

describe('a change that needs a restart', () => {
  it('says so until it is taken back, and all else takes effect', async () => {
    const running = await serve(routed('old'));
    const moved: ProxyConfig = {
      ...routed('new'),
      server: { listen: '127.0.0.1:1', limits: { urlBytes: 100 } },
      tokenCache: { entries: 7 },
    };
    place.write('some.yaml', place.complete(moved));
    expect(await running.logged(NEEDS_RESTART)).toMatchObject({
      level: 'warn',
      keys: ['server.listen', 'server.limits.urlBytes', 'tokenCache.entries'],
    });
    expect((await running.request('GET /new HTTP/1.1')).status).toBe(200);
    expect((await running.request(`GET /new?${'x'.repeat(200)} HTTP/1.1`)).status).toBe(200);

    place.write('some.yaml', place.complete({ ...moved, ...routed('newer') }));
    expect((await running.logged(NEEDS_RESTART))['keys']).toHaveLength(3);

    place.write('some.yaml', place.complete(routed('newest')));
    await running.logged(TAKEN_OVER);
    await running.stop();
    expect(running.log.filter((line) => line.message === NEEDS_RESTART)).toHaveLength(2);
  });
});

describe('a stripped prefix that leads to what another route protects', () => {
  it('is warned of at the start and whenever a configuration is read', async () => {
    const warning = 'routes that strip a prefix reach what others protect';
    const configure = (rewrite: { rewrite?: { stripPrefix: string } }): ProxyConfig => ({
      routes: [
        { id: 'open', match: { path: '/open/{p+}' }, allow: 'public', upstream: 'board', ...rewrite },
        { id: 'admin', match: { path: '/admin' }, allow: 'authenticated', upstream: 'board' },
      ],
    });
    const stripping = configure({ rewrite: { stripPrefix: '/open' } });
    const { program, log, logged } = await serve(stripping);
    expect(await logged(warning)).toMatchObject({
      level: 'warn',
      problems: [
        expect.stringMatching(
          /some\.yaml:\d+:\d+: routes\[0]\.rewrite\.stripPrefix: GET \/open\/admin reaches upstream "board" as \/admin, which route "admin" protects: give route "open" a narrower path, or the same rule$/,
        ),
      ],
    });
    for (const config of [configure({}), stripping]) {
      place.write('some.yaml', place.complete(config));
      program.signal('SIGHUP');
      await logged(TAKEN_OVER);
    }
    await logged(warning);
    expect(log.filter(({ message }) => message === warning)).toHaveLength(2);
  });
});

describe('what was cached', () => {
  it('is not believed any longer when the settings of its pool change', async () => {
    const config = (clientIds: string[]): ProxyConfig => ({
      userPools: { main: { userPoolId: POOL_ID, clientIds, keys: { file: 'jwks.json' } } },
      routes: [{ id: 'posts', match: { path: '/posts' }, allow: 'authenticated', upstream: 'board' }],
    });
    const running = await serve(config([CLIENT_ID]));
    const token = place.token();
    const ask = () => running.request('GET /posts HTTP/1.1', [bearer(token)]);
    expect([(await ask()).status, (await ask()).status]).toEqual([200, 200]);
    const hits = 'cognito_auth_proxy_token_cache_total{result="hit"}';
    expect(metricValue(await running.metrics(), hits)).toBe(1);
    expect(metricValue(await running.metrics(), 'cognito_auth_proxy_token_cache_entries')).toBe(1);

    place.write('some.yaml', place.complete(config(['another-client'])));
    await running.logged(TAKEN_OVER);
    expect(metricValue(await running.metrics(), 'cognito_auth_proxy_token_cache_entries')).toBe(0);
    expect((await ask()).json()).toMatchObject({ message: 'Unauthorized', code: 'AUTHN_CLIENT_MISMATCH' });
  });
});

describe('a renewed certificate', () => {
  it('is served to new connections, and the old ones go on', async () => {
    const install = (pair: typeof PAIR_A): void => {
      place.write('tls.crt', pair.cert);
      place.write('tls.key', pair.key);
    };
    install(PAIR_A);
    const running = await serve({
      server: { tls: { cert: { file: 'tls.crt' }, key: { file: 'tls.key' } } },
      ...routed('old'),
    });
    expect(running.proxy).toMatch(/^https:/);
    const before = await connection(running.proxy, PAIR_A.cert);
    expect(await before.ask()).toBe('HTTP/1.1 200 Scripted');

    install(PAIR_B);
    await running.logged(TAKEN_OVER);
    const after = await connection(running.proxy, PAIR_B.cert);
    expect(await after.ask()).toBe('HTTP/1.1 200 Scripted');
    expect(await before.ask()).toBe('HTTP/1.1 200 Scripted');
    before.socket.destroy();
    after.socket.destroy();
    expect(running.log.some((line) => line.message === NEEDS_RESTART)).toBe(false);
  });

  it('that does not fit its key is refused, and the old one goes on', async () => {
    place.write('tls.crt', PAIR_A.cert);
    place.write('tls.key', PAIR_A.key);
    const running = await serve({
      server: { tls: { cert: { file: 'tls.crt' }, key: { file: 'tls.key' } } },
      ...routed('old'),
    });
    place.write('tls.crt', PAIR_B.cert);
    await running.logged(REFUSED);
    const client = await connection(running.proxy, PAIR_A.cert);
    expect(await client.ask()).toBe('HTTP/1.1 200 Scripted');
    client.socket.destroy();
  });

  /** Connects, having seen exactly this certificate. */
  async function connection(origin: string, certificate: string) {
    const { port } = new URL(origin);
    const socket: TLSSocket = connectTls({ host: '127.0.0.1', port: Number(port), ca: certificate });
    await once(socket, 'secureConnect');
    expect(socket.getPeerX509Certificate()?.fingerprint256).toBe(
      new X509Certificate(certificate).fingerprint256,
    );
    const ask = async (): Promise<string> => {
      socket.write(requestBytes('GET /old HTTP/1.1', ['Host: a']));
      const [bytes] = (await once(socket, 'data')) as [Buffer];
      return String(bytes).split('\r\n', 1)[0] ?? '';
    };
    return { socket, ask };
  }
});
