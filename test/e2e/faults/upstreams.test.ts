import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { OPEN_ROUTE } from '../../support/open-route.ts';
import { type ProxyUnderTest, startProxy } from '../../support/proxy.ts';
import { openRaw } from '../../support/raw-http.ts';
import { refusingOrigin } from '../../support/refusing-origin.ts';
import {
  type Answer,
  chunk,
  closeAfter,
  raw,
  reset,
  script,
  shortBody,
} from '../../support/upstream-answers.ts';

let proxy: ProxyUnderTest;

beforeAll(async () => {
  proxy = await startProxy({
    upstreams: {
      refusing: { url: await refusingOrigin() },
      nameless: { url: 'http://upstream.invalid' },
    },
    routes: [
      OPEN_ROUTE,
      { ...OPEN_ROUTE, id: 'refusing', match: { path: '/refusing' }, upstream: 'refusing' },
      { ...OPEN_ROUTE, id: 'nameless', match: { path: '/nameless' }, upstream: 'nameless' },
    ],
  });
});
afterAll(() => proxy.stop());
beforeEach(() => proxy.upstream.forget());

const HEAD = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = `${HEAD}Transfer-Encoding: chunked\r\n\r\n`;

/** Nothing that names the upstream, or quotes it, may reach a client. */
const expectNothingTold = (text: string): void => {
  expect(text).not.toMatch(/127\.0\.0\.1|localhost|invalid\b|secret|ECONN|UND_ERR|HPE_/);
};

describe('before the answer', () => {
  const BEFORE: readonly [what: string, answer: Answer, code: string][] = [
    ['a reset with the request unread', reset('head'), 'UPSTREAM_RESET'],
    ['a reset after the request', reset(), 'UPSTREAM_RESET'],
    ['an end after the request', closeAfter(), 'UPSTREAM_RESET'],
    ['an end in the status line', closeAfter('HTTP/1.1 20'), 'UPSTREAM_RESET'],
    ['an end in the header section', closeAfter(`${HEAD}X-Secret: secret\r\nX-`), 'UPSTREAM_RESET'],
    ['a reset in the header section', cutAfter(`${HEAD}X-Secret: secret\r\n`), 'UPSTREAM_RESET'],
    ['something else than HTTP', closeAfter('SSH-2.0-secret\r\n'), 'UPSTREAM_RESPONSE_INVALID'],
    [
      'HTTP/2',
      closeAfter('\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x80\0\x04\0\x01\0\0\0\x05\0\xff\xff\xff'),
      'UPSTREAM_RESPONSE_INVALID',
    ],
    ['a status that is no number', closeAfter('HTTP/1.1 OK\r\n\r\n'), 'UPSTREAM_RESPONSE_INVALID'],
    ['a line without a colon', closeAfter(`${HEAD}secret\r\n\r\n`), 'UPSTREAM_RESPONSE_INVALID'],
    ['a name with a space', closeAfter(`${HEAD}X Secret: 1\r\n\r\n`), 'UPSTREAM_RESPONSE_INVALID'],
    ['a value with a NUL', closeAfter(`${HEAD}X: \0secret\r\n\r\n`), 'UPSTREAM_RESPONSE_INVALID'],
    ['a value with a lone CR', closeAfter(`${HEAD}X: a\rb\r\n\r\n`), 'UPSTREAM_RESPONSE_INVALID'],
    [
      'two lengths',
      closeAfter(`${HEAD}Content-Length: 2\r\nContent-Length: 3\r\n\r\nok`),
      'UPSTREAM_RESPONSE_INVALID',
    ],
    [
      'a length and chunks',
      closeAfter(`${HEAD}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`),
      'UPSTREAM_RESPONSE_INVALID',
    ],
    [
      'a length that is no number',
      closeAfter(`${HEAD}Content-Length: 0x2\r\n\r\nok`),
      'UPSTREAM_RESPONSE_INVALID',
    ],
    [
      'a length beyond all numbers',
      closeAfter(`${HEAD}Content-Length: 99999999999999999999\r\n\r\nok`),
      'UPSTREAM_RESPONSE_INVALID',
    ],
    ['headers too large', raw(`${HEAD}X: ${'secret'.repeat(12_000)}\r\n\r\n`), 'UPSTREAM_RESPONSE_INVALID'],
    ['headers without end', endless(HEAD, 'X-Secret: secret\r\n'), 'UPSTREAM_RESPONSE_INVALID'],
  ];

  it.each(BEFORE)('%s', async (what, answer, code) => {
    const path = `/fault/${what.replaceAll(/\W/g, '-')}`;
    proxy.upstream.on(path, answer);
    const got = await proxy.request(`POST ${path} HTTP/1.1`, [], 'body');
    expect([got.status, got.json()]).toEqual([
      502,
      { message: 'Bad Gateway', code, requestId: got.header('x-request-id') },
    ]);
    expectNothingTold(JSON.stringify(got.headers) + got.text);
    // The log says where, and why.
    expect(await proxy.logged(path)).toMatchObject({
      code,
      decision: 'fault',
      target: proxy.upstream.origin,
    });
    // A body is never sent twice.
    expect(proxy.upstream.requests.length).toBeLessThanOrEqual(1);
    // The connection is not used again; the next request is well.
    expect((await proxy.request('GET /well HTTP/1.1')).text).toBe('ok');
  });

  it.each(['/refusing', '/nameless'])('no connection: %s', async (path) => {
    const got = await proxy.request(`GET ${path} HTTP/1.1`);
    expect([got.status, got.json()]).toEqual([
      502,
      { message: 'Bad Gateway', code: 'UPSTREAM_CONNECT_FAILED', requestId: got.header('x-request-id') },
    ]);
    expectNothingTold(JSON.stringify(got.headers) + got.text);
  });

  it('the client’s connection survives, for its next request', async () => {
    proxy.upstream.on('/fault', reset());
    const connection = await openRaw(proxy.origin);
    connection.send('GET /fault HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await connection.response()).status).toBe(502);
    connection.send('GET /well HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await connection.response()).text).toBe('ok');
    connection.close();
  });
});

describe('in the middle of the answer', () => {
  /** Resolves when the client has read the first half. */
  let half = Promise.withResolvers<void>();
  const readHalf = (): Promise<void> => half.promise;

  const BREAKING: readonly [what: string, answer: Answer, code: string][] = [
    ['a short body', shortBody(100, 'half'), 'UPSTREAM_RESET'],
    [
      'a short body, told that the connection would close',
      closeAfter(`${HEAD}Connection: close\r\nContent-Length: 100\r\n\r\nhalf`),
      'UPSTREAM_RESET',
    ],
    [
      'a reset in a body of a known length',
      cutAfter(`${HEAD}Content-Length: 100\r\n\r\nhalf`, readHalf),
      'UPSTREAM_RESET',
    ],
    ['a reset between chunks', cutAfter(CHUNKED + chunk('half'), readHalf), 'UPSTREAM_RESET'],
    [
      'a reset in an answer that the end of the connection delimits',
      cutAfter(`${HEAD}\r\nhalf`, readHalf),
      'UPSTREAM_RESET',
    ],
    ['the same, said', cutAfter(`${HEAD}Connection: close\r\n\r\nhalf`, readHalf), 'UPSTREAM_RESET'],
    ['an end between chunks', closeAfter(CHUNKED + chunk('half')), 'UPSTREAM_RESET'],
    [
      'an end between chunks, told that the connection would close',
      closeAfter(`${HEAD}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n${chunk('half')}`),
      'UPSTREAM_RESET',
    ],
    ['an end in a chunk', closeAfter(`${CHUNKED}64\r\nhalf`), 'UPSTREAM_RESET'],
    [
      'a chunk size that is no number',
      inTwo(CHUNKED + chunk('half'), readHalf, 'zz\r\n'),
      'UPSTREAM_RESPONSE_INVALID',
    ],
    [
      'a chunk longer than its size',
      inTwo(`${CHUNKED}4\r\nhalf`, readHalf, 'way\r\n0\r\n\r\n'),
      'UPSTREAM_RESPONSE_INVALID',
    ],
    [
      'trailers without end',
      endless(`${CHUNKED}${chunk('half')}0\r\n`, 'X-Secret: secret\r\n'),
      'UPSTREAM_RESPONSE_INVALID',
    ],
  ];

  it.each(BREAKING)('%s: cut off, never a whole answer', async (what, answer, code) => {
    for (const version of ['1.1', '1.0']) {
      const path = `/breaks/${version}/${what.replaceAll(/\W/g, '-')}`;
      proxy.upstream.on(path, answer);
      const connection = await openRaw(proxy.origin);
      half = Promise.withResolvers();
      connection.send(`GET ${path} HTTP/${version}\r\nHost: a\r\n\r\n`);
      const beginning = await connection.takeUntil('half');
      half.resolve();
      const how = await connection.closed;
      const bytes = beginning.toString() + (await connection.rest()).toString();
      expect(bytes).toMatch(/^HTTP\/1\.1 200 /);
      // What delimits the answer is missing: the length, the last chunk, or an orderly end.
      if (/\r\ncontent-length: 100\r\n/i.test(bytes)) expect(bytes).toMatch(/\r\n\r\nhalf$/);
      else if (version === '1.1') expect(bytes).not.toMatch(/\r\n0\r\n/);
      else expect(how).toBe('reset');
      connection.close();
      expect(await proxy.logged(path)).toMatchObject({ status: 200, decision: 'fault', code });
    }
    expect(proxy.upstream.requests).toHaveLength(2);
  });

  it('bytes after the answer are nobody’s', async () => {
    proxy.upstream.on(
      '/more',
      raw(`${HEAD}Content-Length: 2\r\n\r\nok${HEAD}Content-Length: 8\r\n\r\nsmuggled`),
    );
    await proxy.request('GET /warm HTTP/1.1');
    const before = proxy.upstream.connections;
    expect((await proxy.request('GET /more HTTP/1.1')).text).toBe('ok');
    for (let i = 0; i < 5; i++) expect((await proxy.request('GET /next HTTP/1.1')).text).toBe('ok');
    expect(proxy.upstream.connections).toBe(before + 1);
  });
});

/** Writes the second part once the client has the first. */
function inTwo(first: string, arrived: () => Promise<void>, second: string): Answer {
  return script(async ({ write }) => {
    await write(first);
    await arrived();
    await write(second);
  });
}

/** Writes these bytes and resets; where the client is to have them first, once it says so. */
function cutAfter(bytes: string, arrived?: () => Promise<void>): Answer {
  return script(async ({ write, socket }) => {
    await write(bytes);
    await arrived?.();
    socket.resetAndDestroy();
  });
}

function endless(beginning: string, line: string): Answer {
  return script(async ({ write, socket }) => {
    await write(beginning);
    while (!socket.destroyed) await write(line.repeat(100));
  });
}
