import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Program } from '../support/program.ts';
import { bearer, CLIENT_ID, POOL_ID } from '../support/proxy.ts';
import {
  followServe,
  prepareSurroundings,
  runServe,
  type Surroundings,
  takePort,
} from '../support/served.ts';

// Every test starts processes of its own, on machines that may have little to give.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

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

function run(args: readonly string[], environment: Record<string, string> = {}): Program {
  program = runServe(place.folder, args, environment);
  return program;
}

const ROUTES = [
  { id: 'open', match: { path: '/open' }, allow: 'public', upstream: 'board' } as const,
  { id: 'posts', match: { path: '/posts' }, allow: 'authenticated', upstream: 'board' } as const,
];

describe('serve starts', () => {
  it.each([
    ['a file named on the command line', ['serve', '--config', 'some.yaml'], {}, 'some.yaml'],
    ['a file, as the command that is meant when none is named', ['-c', 'some.yaml'], {}, 'some.yaml'],
    ['a file named in the environment', ['serve'], { COGNITO_AUTH_PROXY_CONFIG: 'some.yaml' }, 'some.yaml'],
    ['the file in the working folder', ['serve'], {}, 'cognito-auth-proxy.yaml'],
  ])('with %s', async (_, args, environment, source) => {
    place.write(source, place.complete({ routes: ROUTES }));
    const served = await followServe(run(args, environment));
    expect(served.log.at(-1)).toMatchObject({ level: 'info', source, routes: 2 });
    expect((await served.request('GET /open HTTP/1.1')).status).toBe(200);
    expect((await served.request('GET /posts HTTP/1.1')).status).toBe(401);
    expect((await served.request('GET /posts HTTP/1.1', [bearer(place.token())])).status).toBe(200);
    expect(await served.stop()).toBe(0);
    expect(served.program.complaints).toBe('');
  });

  it('with the environment alone, asking both issuers for keys through the proxy named there', async () => {
    const asked: string[] = [];
    const webProxy = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (bytes) => {
        asked.push(String(bytes).split('\r\n', 1)[0] ?? '');
        socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
      });
    }).listen(0, '127.0.0.1');
    await once(webProxy, 'listening');
    const { port } = webProxy.address() as { port: number };

    program = run(['serve'], {
      USER_POOL_ID: POOL_ID,
      CLIENT_IDS: CLIENT_ID,
      UPSTREAM_URL: place.upstream.origin,
      PUBLIC_PATHS: '/open',
      LISTEN: '127.0.0.1:0',
      ADMIN_LISTEN: '127.0.0.1:0',
      HTTPS_PROXY: `http://127.0.0.1:${port}`,
    });
    const { proxy, admin, source, routes } = JSON.parse(await program.line());
    expect([source, routes]).toEqual(['the environment', 3]);
    expect((await fetch(`${proxy}/open`)).status).toBe(200);
    const headers = { authorization: `Bearer ${place.token()}` };
    const refused = await fetch(`${proxy}/posts`, { headers });
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([
      503,
      'AUTHN_KEYS_UNAVAILABLE',
    ]);
    expect((await fetch(`${admin}/readyz`)).status).toBe(503);
    expect((await fetch(`${admin}/livez`)).status).toBe(200);
    expect(asked.slice(0, 2).sort()).toEqual([
      'CONNECT cognito-idp.us-east-1.amazonaws.com:443 HTTP/1.1',
      'CONNECT issuer-cognito-idp.us-east-1.amazonaws.com:443 HTTP/1.1',
    ]);
    webProxy.close();
  });
});

describe('serve does not start', () => {
  it('without any configuration: exit code 2, and what to do', async () => {
    const { exited, complaints } = await ended(run(['serve']));
    expect(exited).toEqual({ code: 2, signal: null });
    expect(complaints).toMatch(/^there is no configuration\. Either\n/);
  });

  it('with a broken file: exit code 2, every problem with its place, and nothing on standard output', async () => {
    place.write(
      'broken.yaml',
      [
        'server: { listen: "127.0.0.1:0", wrokers: 2 }',
        'userPools: { main: { userPoolId: us-east-1_Test } }',
        'upstreams: { board: { url: ftp://board } }',
        'routes:',
        '  - { id: posts, match: { path: /posts }, allow: authenticated, upstream: bored }',
        '',
      ].join('\n'),
    );
    const { exited, complaints, output } = await ended(run(['serve', '--config', 'broken.yaml']));
    expect(exited).toEqual({ code: 2, signal: null });
    expect(output).toBe('');
    expect(complaints.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^broken\.yaml:1:\d+: server\.wrokers: unknown key, did you mean "workers"\?$/),
      expect.stringMatching(/^broken\.yaml:2:\d+: userPools\.main\.clientIds: is missing/),
      expect.stringMatching(/^broken\.yaml:3:\d+: upstreams\.board\.url: expected an absolute URL/),
      expect.stringMatching(/^broken\.yaml:5:\d+: routes\[0\]\.upstream: there is no upstream "bored"/),
      '4 problems',
    ]);
  });

  it.each([
    ['public', (port: number) => ({ server: { listen: `127.0.0.1:${port}` } })],
    ['admin', (port: number) => ({ admin: { listen: `127.0.0.1:${port}` } })],
  ])('where its %s port is taken: exit code 1, and nothing is left listening', async (_, listening) => {
    const taken = await takePort();
    place.write('some.yaml', place.complete({ routes: ROUTES, ...listening(taken.port) }));
    const { exited, complaints, output } = await ended(run(['serve', '--config', 'some.yaml']));
    expect(complaints).toBe(
      `cannot start: listen EADDRINUSE: address already in use 127.0.0.1:${taken.port}\n`,
    );
    expect(exited).toEqual({ code: 1, signal: null });
    expect(output).toBe('');
    await taken.giveBack();
  });

  it('with an option that is none: exit code 2', async () => {
    const { exited, complaints } = await ended(run(['serve', '--confg', 'some.yaml']));
    expect(exited).toEqual({ code: 2, signal: null });
    expect(complaints).toContain("unknown option '--confg'");
  });
});

async function ended(started: Program) {
  const exited = await started.exited;
  return { exited, output: await started.rest(), complaints: started.complaints };
}
