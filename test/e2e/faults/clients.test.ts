import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OPEN_ROUTE } from '../../support/open-route.ts';
import { type ProxyUnderTest, startProxy } from '../../support/proxy.ts';
import { openRaw, type RawConnection } from '../../support/raw-http.ts';

let proxy: ProxyUnderTest;

beforeAll(async () => {
  proxy = await startProxy({
    server: { timeouts: { headers: '500ms', idle: '500ms' } },
    routes: [OPEN_ROUTE],
  });
});
afterAll(() => proxy.stop());

const REQUEST = 'GET /slow HTTP/1.1\r\nHost: a\r\n';

describe('a client that takes its time with the header section', () => {
  it.each([
    ['says nothing at all', ''],
    ['stops in the request line', 'GET /sl'],
    ['stops in the header section', REQUEST],
  ])('and %s is refused', async (_what, beginning) => {
    const connection = await openRaw(proxy.origin);
    connection.send(beginning);
    const got = await connection.response();
    expect([got.status, got.json(), got.header('connection')]).toEqual([
      408,
      { message: 'Request Timeout', code: 'REQUEST_TIMEOUT', requestId: got.header('x-request-id') },
      'close',
    ]);
    expect(await connection.closed).toBe('end');
    connection.close();
  });

  it('and sends a byte now and then is refused as well: it is the whole that is timed', async () => {
    const connection = await openRaw(proxy.origin);
    connection.send(REQUEST);
    const dripping = setInterval(() => connection.send('X'), 50);
    try {
      expect((await connection.response()).status).toBe(408);
    } finally {
      clearInterval(dripping);
      connection.close();
    }
  });

  it('does not bring its request to the upstream, or hold up anybody', async () => {
    const slow: RawConnection[] = [];
    for (let i = 0; i < 300; i++) {
      const connection = await openRaw(proxy.origin);
      connection.send(REQUEST);
      slow.push(connection);
    }
    for (let i = 0; i < 20; i++) expect((await proxy.request('GET /well HTTP/1.1')).status).toBe(200);
    const answers = await Promise.all(slow.map((connection) => connection.response()));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([408]));
    for (const connection of slow) connection.close();
    expect(proxy.upstream.requests.every(({ target }) => target === '/well')).toBe(true);
  });
});

describe('an idle connection', () => {
  it('is closed in good order after its time', async () => {
    const connection = await openRaw(proxy.origin);
    connection.send(`${REQUEST}\r\n`);
    expect((await connection.response()).status).toBe(200);
    expect(await connection.closed).toBe('end');
    expect((await connection.rest()).length).toBe(0);
    connection.close();
  });
});
