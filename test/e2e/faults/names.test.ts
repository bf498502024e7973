/** What DNS says of an upstream changes, or it says nothing. Names are looked up for each connection, by the system's resolver. */
import dns from 'node:dns';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { OPEN_ROUTE } from '../../support/open-route.ts';
import { type ProxyUnderTest, startProxy } from '../../support/proxy.ts';
import { startRecordingUpstream } from '../../support/recording-upstream.ts';
import { sendUpgrade } from '../../support/web-socket.ts';

type Lookup = (
  hostname: string,
  options: { readonly all?: boolean },
  callback: (error: Error | null, addresses?: unknown, family?: number) => void,
) => void;

const NAME = 'board.test';
const system = dns.lookup as unknown as Lookup;

/** What a look-up of the name comes to: an address, an error, or nothing at all. */
let answer: string | Error | null;
let lookups: number;
let proxy: ProxyUnderTest;
let elsewhere: Server;

const lookup: Lookup = (hostname, options, callback) => {
  if (hostname !== NAME) return system(hostname, options, callback);
  lookups += 1;
  if (answer === null) return;
  if (answer instanceof Error) return process.nextTick(callback, answer);
  const address = answer;
  if (options.all === true) process.nextTick(callback, null, [{ address, family: 4 }]);
  else process.nextTick(callback, null, address, 4);
};

beforeEach(async () => {
  answer = '127.0.0.1';
  lookups = 0;
  vi.spyOn(dns, 'lookup').mockImplementation(lookup as unknown as typeof dns.lookup);
  // The same port at two addresses, as behind a name that moves.
  const { port, stop } = await startRecordingUpstream();
  await stop();
  elsewhere = createServer((_request, response) => void response.end('elsewhere')).listen(port, '127.0.0.2');
  await once(elsewhere, 'listening');
  proxy = await startProxy({
    upstreams: { named: { url: `http://${NAME}:${port}`, retries: 0, timeouts: { connect: '300ms' } } },
    routes: [{ ...OPEN_ROUTE, upstream: 'named' }],
  });
  here = createServer((request, response) => {
    if (request.url === '/last') response.setHeader('connection', 'close');
    response.end('here');
  }).listen(port, '127.0.0.1');
  await once(here, 'listening');
});
afterEach(async () => {
  vi.restoreAllMocks();
  await proxy.stop();
  for (const server of [here, elsewhere]) {
    server.close();
    server.closeAllConnections();
  }
});

let here: Server;

const ask = (path = '/x') => proxy.request(`GET ${path} HTTP/1.1`);

describe('the name of an upstream', () => {
  it('is followed to another address with the next connection', async () => {
    expect((await ask()).text).toBe('here');
    answer = '127.0.0.2';
    // The connection that is there goes on, and costs no look-up.
    expect((await ask('/last')).text).toBe('here');
    expect(lookups).toBe(1);
    expect((await ask()).text).toBe('elsewhere');
    expect(lookups).toBe(2);
  });

  it('is followed by WebSockets as well', async () => {
    for (const [address, text] of [
      ['127.0.0.1', 'here'],
      ['127.0.0.2', 'elsewhere'],
    ]) {
      answer = address ?? null;
      const connection = await sendUpgrade(proxy, '/x');
      // These servers know no WebSocket: their plain answer says who they are.
      expect((await connection.response()).text).toContain(text);
      connection.close();
    }
  });

  it.each(['ENOTFOUND', 'EAI_AGAIN'])(
    'that leads nowhere is 502, and well again with it: %s',
    async (code) => {
      answer = Object.assign(new Error(`getaddrinfo ${code} ${NAME}`), { code });
      const got = await ask();
      expect([got.status, got.json()]).toEqual([
        502,
        { message: 'Bad Gateway', code: 'UPSTREAM_CONNECT_FAILED', requestId: got.header('x-request-id') },
      ]);
      expect(got.text).not.toContain(NAME);
      answer = '127.0.0.1';
      expect((await ask()).text).toBe('here');
    },
  );

  it('of which nothing is heard is 504 after the time to connect, and holds nobody up', async () => {
    expect((await ask()).text).toBe('here');
    answer = null;
    const waiting = ask('/last').then(() => ask('/waits'));
    const got = await waiting;
    expect([got.status, got.json()]).toMatchObject([504, { code: 'UPSTREAM_TIMEOUT' }]);
    answer = '127.0.0.1';
    expect((await ask()).text).toBe('here');
  });
});
