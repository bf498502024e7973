import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ERRORS, type ErrorCode } from '../../../src/core/errors.ts';
import { attack, SHAPES, UPGRADE_LINES } from '../../support/attack.ts';
import { type ProxyUnderTest, startProxy } from '../../support/proxy.ts';
import { openRaw, type RawResponse } from '../../support/raw-http.ts';
import { upgradeEcho } from '../../support/upstream-answers.ts';

const LIMITS = { headerBytes: 1000, headerCount: 10, urlBytes: 200, bodyBytes: 100 };

/** As `request` of the proxy under test sends them. */
const HOST = 'Host: api.example.com';

let proxy: ProxyUnderTest;

beforeAll(async () => {
  proxy = await startProxy({
    server: { limits: LIMITS },
    routes: [
      {
        id: 'large',
        match: { path: '/large' },
        allow: 'public',
        upstream: 'board',
        limits: { bodyBytes: 1000 },
      },
      {
        id: 'any',
        match: { path: '/any' },
        allow: 'public',
        upstream: 'board',
        limits: { bodyBytes: null },
      },
      { id: 'open', match: { path: '/{path+}' }, allow: 'public', upstream: 'board' },
    ],
  });
});
afterAll(() => proxy.stop());
beforeEach(() => proxy.upstream.forget());

/** The refusal with this code, whose connection is closed, and which is counted. */
async function expectRefusal(response: RawResponse, code: ErrorCode, route = 'none'): Promise<void> {
  const { status, message } = ERRORS[code];
  expect([response.status, response.json()]).toMatchObject([status, { message, code }]);
  expect(response.header('connection')).toBe('close');
  expect(proxy.upstream.requests).toEqual([]);
  expect(await proxy.metrics()).toContain(
    `cognito_auth_proxy_decisions_total{route="${route}",decision="deny",code="${code}"}`,
  );
}

/** Header lines up to so many, those that the shape of the request needs counted. */
function headers(count: number, needed: readonly string[]): string[] {
  return Array.from({ length: count - needed.length }, (_, index) => `X-Filler-${index}: x`);
}

/** A header line that takes so many bytes together with those needed, each with its colon, space and line end. */
function headersOf(bytes: number, needed: readonly string[]): string[] {
  const name = 'X-Filler: ';
  const taken = needed.reduce((sum, line) => sum + line.length + 2, 0);
  return [`${name}${'x'.repeat(bytes - taken - name.length - 2)}`];
}

describe.each(SHAPES)('as %s', (shape) => {
  const needed = shape === 'upgrade' ? [HOST, ...UPGRADE_LINES] : [HOST];
  const passed = shape === 'upgrade' ? 101 : 200;
  const ask = async (target: string, lines: readonly string[] = []): Promise<RawResponse> => {
    if (shape === 'upgrade') proxy.upstream.on('*', upgradeEcho());
    return (await attack(proxy, shape, target, lines)).response;
  };

  describe('header fields', () => {
    it('pass up to the count', async () => {
      expect((await ask('/a', headers(LIMITS.headerCount, needed))).status).toBe(passed);
    });

    it('beyond it are 431', async () => {
      await expectRefusal(await ask('/a', headers(LIMITS.headerCount + 1, needed)), 'LIMIT_HEADER_COUNT');
    });

    it('are counted as sent, those that are dropped too', async () => {
      const dropped = Array.from({ length: LIMITS.headerCount }, () => 'X_Underscore: x');
      await expectRefusal(await ask('/a', dropped), 'LIMIT_HEADER_COUNT');
    });

    it('pass up to the bytes', async () => {
      expect((await ask('/a', headersOf(LIMITS.headerBytes, needed))).status).toBe(passed);
    });

    it('of more bytes are 431', async () => {
      await expectRefusal(await ask('/a', headersOf(LIMITS.headerBytes + 1, needed)), 'LIMIT_HEADERS');
    });

    it('of so many bytes that they are not even parsed are 431', async () => {
      await expectRefusal(await ask('/a', headersOf(100_000, needed)), 'LIMIT_HEADERS');
    });
  });

  describe('the request target', () => {
    const target = (bytes: number): string => `/${'a'.repeat(bytes - 3)}?b`;

    it('passes up to the limit', async () => {
      expect((await ask(target(LIMITS.urlBytes))).status).toBe(passed);
    });

    it.each([LIMITS.urlBytes + 1, 100_000])('of %i bytes is 414', async (bytes) => {
      await expectRefusal(await ask(target(bytes)), 'LIMIT_URL');
    });
  });
});

describe('a body', () => {
  const CHUNKED = ['Transfer-Encoding: chunked'];
  const chunked = (bytes: number): string => {
    const half = Math.floor(bytes / 2);
    return [half, bytes - half].map((size) => `${size.toString(16)}\r\n${'x'.repeat(size)}\r\n`).join('');
  };

  it.each([
    ['/a', LIMITS.bodyBytes],
    ['/large', 1000],
    ['/any', 100_000],
  ])('for %s passes up to %i bytes, of known length and chunked', async (path, bytes) => {
    expect((await proxy.request(`POST ${path} HTTP/1.1`, [], 'x'.repeat(bytes))).status).toBe(200);
    const body = `${chunked(bytes)}0\r\n\r\n`;
    expect((await proxy.request(`POST ${path} HTTP/1.1`, CHUNKED, body)).status).toBe(200);
    expect(proxy.upstream.requests.map((request) => request.body.length)).toEqual([bytes, bytes]);
  });

  it.each([
    ['/a', 'open', LIMITS.bodyBytes + 1],
    ['/large', 'large', 1001],
  ])('for %s beyond it is 413, of known length and chunked', async (path, route, bytes) => {
    const response = await proxy.request(`POST ${path} HTTP/1.1`, [], 'x'.repeat(bytes));
    await expectRefusal(response, 'LIMIT_BODY', route);
    const unending = await proxy.request(`POST ${path} HTTP/1.1`, CHUNKED, chunked(bytes));
    await expectRefusal(unending, 'LIMIT_BODY', route);
  });

  it('that is announced as too large is refused before it is sent', async () => {
    const connection = await openRaw(proxy.origin);
    connection.send(`POST /a HTTP/1.1\r\n${HOST}\r\nContent-Length: 101\r\nExpect: 100-continue\r\n\r\n`);
    const response = await connection.response('POST');
    expect(response.interim).toEqual([]);
    await expectRefusal(response, 'LIMIT_BODY', 'open');
    connection.close();
  });
});
