import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bearer, type ProxyUnderTest, startProxy } from '../../support/proxy.ts';
import { openRaw, type RawConnection, type RawResponse } from '../../support/raw-http.ts';
import { type HeldAnswer, held, upgradeEcho } from '../../support/upstream-answers.ts';

const CONNECTIONS = 20;

let proxy: ProxyUnderTest;
let slow: HeldAnswer;
/** Connected, and its token verified, before anything is full. */
let guest: RawConnection;
let token: string;
const others: RawConnection[] = [];

beforeAll(async () => {
  const route = { allow: 'authenticated', upstream: 'board' } as const;
  proxy = await startProxy({
    server: { limits: { connections: CONNECTIONS, webSockets: 1 } },
    upstreams: { board: {}, slow: { limits: { requests: 2, queue: 2, wait: '10s' } } },
    routes: [
      { ...route, id: 'posts', match: { path: '/posts' } },
      { ...route, id: 'ws', match: { path: '/ws' } },
      { ...route, id: 'slow', match: { path: '/slow' }, upstream: 'slow' },
      {
        ...route,
        id: 'limited',
        match: { path: '/limited' },
        rateLimit: { by: 'client', requests: 1, per: '1h' },
      },
    ],
  });
  slow = held();
  proxy.upstream.on('/slow', slow);
  proxy.upstream.on('/ws', upgradeEcho());
  token = bearer(proxy.token());
  guest = await openRaw(proxy.origin);
  expect((await ask(guest, '/posts')).status).toBe(200);
});
afterAll(async () => {
  slow.release();
  for (const connection of [guest, ...others]) connection.close();
  await proxy.stop();
});

async function ask(connection: RawConnection, path: string, ...lines: string[]): Promise<RawResponse> {
  send(connection, path, ...lines);
  return connection.response();
}

function send(connection: RawConnection, path: string, ...lines: string[]): void {
  connection.send([`GET ${path} HTTP/1.1`, 'Host: a', token, ...lines, '', ''].join('\r\n'));
}

async function another(): Promise<RawConnection> {
  const connection = await openRaw(proxy.origin);
  others.push(connection);
  return connection;
}

describe('with every limit reached', () => {
  beforeAll(async () => {
    for (let i = 0; i < 4; i++) send(await another(), '/slow');
    const socket = await another();
    send(socket, '/ws', 'Connection: Upgrade', 'Upgrade: websocket');
    expect((await socket.head()).status).toBe(101);
    expect((await ask(await another(), '/limited')).status).toBe(200);
    while (others.length < CONNECTIONS - 1) await another();
    while (!/^cognito_auth_proxy_upstream_requests_waiting{upstream="slow"} 2$/m.test(await proxy.metrics()));
  });

  it('each one sheds what is too much for it', async () => {
    const code = (response: RawResponse) => (response.json() as { code: string }).code;
    const turnedAway = await openRaw(proxy.origin);
    expect(code(await turnedAway.response())).toBe('LIMIT_CONNECTIONS');
    const free = others.slice(-3);
    expect(code(await ask(free[0] as RawConnection, '/slow'))).toBe('LIMIT_UPSTREAM');
    expect(code(await ask(free[1] as RawConnection, '/limited'))).toBe('LIMIT_RATE');
    const upgrade = ask(free[2] as RawConnection, '/ws', 'Connection: Upgrade', 'Upgrade: websocket');
    expect(code(await upgrade)).toBe('LIMIT_WEBSOCKETS');
  });

  it('the probes answer', async () => {
    expect((await fetch(`${proxy.admin}/livez`)).status).toBe(200);
    expect((await fetch(`${proxy.admin}/readyz`)).status).toBe(200);
  });

  it('who is connected and has a token that was seen before goes on, though no keys can be had', async () => {
    proxy.keys.down();
    for (let i = 0; i < 10; i++) expect((await ask(guest, '/posts')).status).toBe(200);
  });
});
