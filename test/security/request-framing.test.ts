/**
 * Where a request ends must not be in doubt (request smuggling): CVE-2026-1525 (undici, two Content-Length by case),
 * Transfer-Encoding lists, both headers at once, obs-fold, bare line feeds, chunk extensions, trailers. What the upstream
 * receives is framed anew; the number and the bodies of its requests are those of the requests that were let in.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { untilIdle } from '../support/attack.ts';
import { generatedCases } from '../support/generated-cases.ts';
import { type ProxyUnderTest, startProxy } from '../support/proxy.ts';
import { exchangeRaw, openRaw } from '../support/raw-http.ts';
import { createSeededRandom, type SeededRandom } from '../support/seeded-random.ts';

let proxy: ProxyUnderTest;

beforeAll(async () => {
  proxy = await startProxy({
    routes: [
      { id: 'open', match: { path: '/public/{path+}' }, allow: 'public', upstream: 'board' },
      { id: 'admin', match: { path: '/admin/{path+}' }, allow: 'authenticated', upstream: 'board' },
    ],
  });
});
afterEach(() => proxy.upstream.forget());
afterAll(async () => {
  await untilIdle(proxy);
  await proxy.stop();
});

/** Would be a request of its own to a reader that takes the one before it for shorter than it is. */
const SMUGGLED = 'GET /admin/smuggled HTTP/1.1\r\nHost: x\r\n\r\n';

const post = (headerLines: readonly string[], body = '', version = '1.1'): string =>
  [`POST /public/x HTTP/${version}`, 'Host: x', ...headerLines, '', body].join('\r\n');

const received = (): [string, string][] =>
  proxy.upstream.requests.map(({ requestLine, body }) => [requestLine, body.toString('latin1')]);

describe('a request whose length is in doubt', () => {
  it.each([
    ['both headers', ['Content-Length: 3', 'Transfer-Encoding: chunked'], '0\r\n\r\n'],
    ['both headers, the other way', ['Transfer-Encoding: chunked', 'Content-Length: 5'], '0\r\n\r\n'],
    ['both headers, the length 0', ['Transfer-Encoding: chunked', 'Content-Length: 0'], '0\r\n\r\n'],
    ['two lengths', ['Content-Length: 3', 'Content-Length: 4'], 'abcd'],
    ['two lengths alike', ['Content-Length: 3', 'Content-Length: 3'], 'abc'],
    ['two lengths, by case', ['Content-Length: 3', 'CONTENT-LENGTH: 4'], 'abcd'],
    ['two lengths in one', ['Content-Length: 3, 3'], 'abc'],
    ['a signed length', ['Content-Length: +3'], 'abc'],
    ['a negative length', ['Content-Length: -1'], ''],
    ['a hexadecimal length', ['Content-Length: 0x3'], 'abc'],
    ['a length in two words', ['Content-Length: 3 3'], 'abc'],
    ['a length that is no number', ['Content-Length: three'], 'abc'],
    ['an empty length', ['Content-Length:'], ''],
    ['a decimal length', ['Content-Length: 3.0'], 'abc'],
    ['a length beyond 64 bits', ['Content-Length: 18446744073709551617'], 'a'],
    ['two codings', ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], '0\r\n\r\n'],
    ['two codings, the last not chunked', ['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'], ''],
    ['chunked, not last', ['Transfer-Encoding: chunked, identity'], '0\r\n\r\n'],
    ['a blank before the colon', ['Transfer-Encoding : chunked'], '0\r\n\r\n'],
    ['a length with a blank before its colon', ['Content-Length : 3'], 'abc'],
    ['a folded coding', ['Transfer-Encoding:', ' chunked'], '0\r\n\r\n'],
    ['a folded header', ['X-A: b', ' c'], ''],
    ['a line that begins with a blank', [' Transfer-Encoding: chunked'], '0\r\n\r\n'],
    ['a line without a colon', ['Transfer-Encoding'], ''],
    ['an empty name', [': chunked'], ''],
    ['a NUL in a value', ['X-A: b\0c'], ''],
    ['a NUL in a name', ['X\0A: b'], ''],
    ['a bare carriage return in a value', ['X-A: b\rTransfer-Encoding: chunked'], '0\r\n\r\n'],
    ['a bare line feed after a header', ['X-A: b\nTransfer-Encoding: chunked'], '0\r\n\r\n'],
    ['a vertical tab in a coding', ['Transfer-Encoding: \x0bchunked'], '0\r\n\r\n'],
    ['chunked in one list twice', ['Transfer-Encoding: chunked, chunked'], '0\r\n\r\n'],
    ['an empty coding', ['Transfer-Encoding:'], ''],
    ['a coding beside a length', ['Transfer-Encoding: identity', 'Content-Length: 3'], 'abc'],
    ['a name that is no token', ['Transfer(Encoding): chunked'], ''],
  ])('is malformed: %s', async (_, lines, body) => {
    const response = await exchangeRaw(proxy.origin, post(lines, body) + SMUGGLED);
    expect(response.status).toBe(400);
    expect(response.json()).toMatchObject({ message: 'Bad Request', code: 'REQUEST_MALFORMED' });
    expect(response.header('connection')).toBe('close');
    expect(received()).toEqual([]);
  });

  // Node's parser lets these through; we do not.
  it.each([
    ['a coding before chunked', ['Transfer-Encoding: gzip, chunked'], '0\r\n\r\n'],
    ['another coding', ['Transfer-Encoding: identity'], ''],
    ['an unknown coding', ['Transfer-Encoding: xchunked'], ''],
    ['a coding with a parameter', ['Transfer-Encoding: chunked;q=1'], ''],
    ['a quoted coding', ['Transfer-Encoding: "chunked"'], ''],
    ['a list with an empty item', ['Transfer-Encoding: , chunked'], '0\r\n\r\n'],
    ['a length beyond what numbers count', ['Content-Length: 9007199254740993'], 'a'],
  ])('is refused: %s', async (_, lines, body) => {
    const response = await exchangeRaw(proxy.origin, post(lines, body) + SMUGGLED);
    expect(response.status).toBe(400);
    expect(response.json()).toMatchObject({ message: 'Bad Request', code: 'REQUEST_FRAMING_INVALID' });
    expect(response.header('connection')).toBe('close');
    expect(received()).toEqual([]);
  });

  it('is refused: chunked in HTTP/1.0, which does not know it', async () => {
    const bytes = post(['Transfer-Encoding: chunked'], '0\r\n\r\n', '1.0');
    const response = await exchangeRaw(proxy.origin, bytes + SMUGGLED);
    expect(response.json()).toMatchObject({ message: 'Bad Request', code: 'REQUEST_FRAMING_INVALID' });
    expect(received()).toEqual([]);
  });

  it.each([
    ['a length', ['Content-Length: 43'], ''],
    ['chunks', ['Transfer-Encoding: chunked'], '0\r\n\r\n'],
  ])('is refused: an upgrade with %s', async (_, lines, body) => {
    const head = ['GET /public/x HTTP/1.1', 'Host: x', 'Connection: Upgrade', 'Upgrade: websocket', ...lines];
    const response = await exchangeRaw(proxy.origin, `${head.join('\r\n')}\r\n\r\n${body}${SMUGGLED}`);
    expect(response.json()).toMatchObject({ message: 'Bad Request', code: 'REQUEST_FRAMING_INVALID' });
    expect(received()).toEqual([]);
  });
});

describe('lines', () => {
  it.each([
    ['bare line feeds', 'GET /public/x HTTP/1.1\nHost: x\n\n'],
    ['a bare line feed after the request line', 'GET /public/x HTTP/1.1\nHost: x\r\n\r\n'],
    ['a bare line feed at the end', 'GET /public/x HTTP/1.1\r\nHost: x\r\n\n'],
    ['tabs in the request line', 'GET\t/public/x\tHTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a blank after the version', 'GET /public/x HTTP/1.1 \r\nHost: x\r\n\r\n'],
    ['a blank in the target', 'GET /public/x /admin/x HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['no version', 'GET /public/x\r\n\r\n'],
    ['an unknown version', 'GET /public/x HTTP/1.2\r\nHost: x\r\n\r\n'],
    ['an old version', 'GET /public/x HTTP/0.9\r\nHost: x\r\n\r\n'],
    ['a new version', 'GET /public/x HTTP/2.0\r\nHost: x\r\n\r\n'],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['another protocol', 'GET /public/x ICE/1.0\r\nHost: x\r\n\r\n'],
    ['a method in lower case', 'get /public/x HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['an unknown method', 'FOO /public/x HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['no request line', '\0\0\0\0\r\n\r\n'],
    ['the greeting of TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'],
  ])('refuses %s', async (_, bytes) => {
    const response = await exchangeRaw(proxy.origin, bytes);
    expect(response.status).toBe(400);
    expect(response.json()).toMatchObject({ message: 'Bad Request', code: 'REQUEST_MALFORMED' });
    expect(received()).toEqual([]);
  });
});

describe('a chunked body', () => {
  it.each([
    ['line feeds alone', '3\nabc\n0\n\n'],
    ['a line feed after a size', '3\nabc\r\n0\r\n\r\n'],
    ['a prefixed size', '0x3\r\nabc\r\n0\r\n\r\n'],
    ['a signed size', '-3\r\nabc\r\n0\r\n\r\n'],
    ['a plus', '+3\r\nabc\r\n0\r\n\r\n'],
    ['a blank before a size', ' 3\r\nabc\r\n0\r\n\r\n'],
    ['a blank after a size', '3 \r\nabc\r\n0\r\n\r\n'],
    ['an underscore in a size', '0_3\r\nabc\r\n0\r\n\r\n'],
    ['a size beyond 64 bits', 'fffffffffffffffff\r\nabc\r\n0\r\n\r\n'],
    ['more than its size', '3\r\nabcd\r\n0\r\n\r\n'],
    ['no size', '\r\nabc\r\n0\r\n\r\n'],
    ['a bare carriage return in an extension', '3;a\rb\r\nabc\r\n0\r\n\r\n'],
    ['a line feed in an extension', '3;a\nb\r\nabc\r\n0\r\n\r\n'],
    ['a NUL in an extension', '3;a\0\r\nabc\r\n0\r\n\r\n'],
    ['a folded trailer', '3\r\nabc\r\n0\r\nX-A: b\r\n c\r\n\r\n'],
    ['a length among its trailers', '3\r\nabc\r\n0\r\nContent-Length: 3\r\n\r\n'],
    ['a coding among its trailers', '3\r\nabc\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n'],
  ])('is refused with %s', async (_, body) => {
    const response = await exchangeRaw(proxy.origin, post(['Transfer-Encoding: chunked'], body) + SMUGGLED);
    expect(response.status).toBe(400);
    expect(response.json()).toMatchObject({ message: 'Bad Request', code: 'REQUEST_MALFORMED' });
    expect(received()).toEqual([]);
  });

  it.each([
    ['plain', '3\r\nabc\r\n0\r\n\r\n', 'abc'],
    ['in upper case', 'A\r\n0123456789\r\n0\r\n\r\n', '0123456789'],
    ['with leading zeros', '0003\r\nabc\r\n000\r\n\r\n', 'abc'],
    ['with extensions', '3;a=b;c="d;e"\r\nabc\r\n0;z\r\n\r\n', 'abc'],
    [
      'with bytes that look like a request',
      `${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`,
      SMUGGLED,
    ],
    ['with bytes that look like its end', '5\r\n0\r\n\r\n\r\n0\r\n\r\n', '0\r\n\r\n'],
    ['with trailers', '3\r\nabc\r\n0\r\nX-Cognito-Sub: evil\r\nHost: evil\r\n\r\n', 'abc'],
  ])('passes %s', async (_, body, expected) => {
    const response = await exchangeRaw(
      proxy.origin,
      post(['Transfer-Encoding: chunked', 'Trailer: X-Cognito-Sub'], body),
    );
    expect(response.status).toBe(200);
    expect(received()).toEqual([['POST /public/x HTTP/1.1', expected]]);
    const [request] = proxy.upstream.requests;
    expect(request?.trailers).toEqual([]);
    for (const name of ['trailer', 'x-cognito-sub']) expect(request?.values(name)).toEqual([]);
    expect([
      ...(request?.values('transfer-encoding') ?? []),
      ...(request?.values('content-length') ?? []),
    ]).toHaveLength(1);
  });

  it('is cut off where its extensions go on and on', async () => {
    const body = `3;${'a'.repeat(20_000)}\r\nabc\r\n0\r\n\r\n`;
    const response = await exchangeRaw(proxy.origin, post(['Transfer-Encoding: chunked'], body));
    expect(response.status).toBe(413);
    expect(response.json()).toMatchObject({ message: 'Request Too Long', code: 'LIMIT_BODY' });
  });
});

describe('one request after another on a connection', () => {
  it('answers in order, and sends none before those before it are answered', async () => {
    const connection = await openRaw(proxy.origin);
    const paths = Array.from({ length: 20 }, (_, i) => `/public/${i}`);
    connection.send(
      paths
        .map((path, i) => `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n${i + 10}`)
        .join(''),
    );
    for (const _ of paths) expect((await connection.response()).status).toBe(200);
    connection.close();
    expect(received()).toEqual(paths.map((path, i) => [`POST ${path} HTTP/1.1`, String(i + 10)]));
  });

  it('judges each by itself', async () => {
    const connection = await openRaw(proxy.origin);
    connection.send(post(['Content-Length: 3'], 'abc') + SMUGGLED + post(['Content-Length: 1'], 'd'));
    const answers = [await connection.response(), await connection.response(), await connection.response()];
    connection.close();
    expect(answers.map(({ status }) => status)).toEqual([200, 401, 200]);
    expect(received().map(([, body]) => body)).toEqual(['abc', 'd']);
  });

  it('takes nothing after a request that asks to close', async () => {
    const connection = await openRaw(proxy.origin);
    connection.send(post(['Connection: close', 'Content-Length: 3'], 'abc') + SMUGGLED + post([]));
    expect((await connection.response()).status).toBe(200);
    expect((await connection.rest()).toString()).toBe('');
    connection.close();
    expect(received().map(([, body]) => body)).toEqual(['abc']);
  });

  it('takes nothing after one that was refused for its framing', async () => {
    const connection = await openRaw(proxy.origin);
    connection.send(post([]) + post(['Transfer-Encoding: gzip, chunked'], '0\r\n\r\n') + post([]) + post([]));
    const statuses = [(await connection.response()).status, (await connection.response()).status];
    expect((await connection.rest()).toString()).toBe('');
    connection.close();
    expect(statuses).toEqual([200, 400]);
    expect(received()).toHaveLength(1);
  });

  it('takes empty lines before a request, as RFC 9112 section 2.2 asks', async () => {
    const response = await exchangeRaw(proxy.origin, `\r\n\r\n${post([])}`);
    expect(response.status).toBe(200);
    expect(received()).toHaveLength(1);
  });
});

describe('an oracle over generated connections', () => {
  const { numRuns: batches, seed, timeout } = generatedCases(8);
  const CONNECTIONS = 50;

  interface Piece {
    readonly bytes: string;
    /** What the upstream must receive; null when the request must be refused. */
    readonly expected: [path: string, body: string] | null;
    /** Whether what follows on the connection is lost with it. */
    readonly ends: boolean;
  }

  const BODIES = [
    '',
    'a',
    '0\r\n\r\n',
    'GET /admin/x HTTP/1.1\r\nHost: x\r\n\r\n',
    '\r\n',
    '\0\xff',
    'x'.repeat(5_000),
  ];

  function chunksOf(random: SeededRandom, body: string): string {
    let chunks = '';
    for (let at = 0; at < body.length; ) {
      const size = 1 + random.below(body.length - at);
      const extension = random.pick(['', ';x', ';x=y', ';x="0"']);
      chunks += `${size.toString(16)}${extension}\r\n${body.slice(at, at + size)}\r\n`;
      at += size;
    }
    return `${chunks}0\r\n${random.pick(['', '', 'X-Trailer: 1\r\n'])}\r\n`;
  }

  function pieceOf(random: SeededRandom, path: string): Piece {
    const body = random.pick(BODIES);
    const head = (lines: readonly string[]): string =>
      [`POST ${path} HTTP/1.1`, 'Host: x', ...lines, '', ''].join('\r\n');
    const length = `Content-Length: ${body.length}`;
    const refused = (lines: readonly string[], rest: string): Piece => ({
      bytes: head(lines) + rest,
      expected: null,
      ends: true,
    });
    const chunked = 'Transfer-Encoding: chunked';
    switch (random.below(10)) {
      case 0:
        return refused([length, chunked], `0\r\n\r\n${body}`);
      case 1:
        return refused([length, `content-length: ${body.length + 1}`], body);
      case 2:
        return refused(
          [random.pick(['Transfer-Encoding: gzip, chunked', 'Transfer-Encoding: x'])],
          `0\r\n\r\n${body}`,
        );
      case 3:
        return refused([`X-A: b\n${length}`], body);
      case 4:
      case 5:
      case 6:
        return {
          bytes: head([random.pick([chunked, 'transfer-encoding:CHUNKED'])]) + chunksOf(random, body),
          expected: [path, body],
          ends: false,
        };
      default:
        return { bytes: head([length]) + body, expected: [path, body], ends: false };
    }
  }

  /** Sends these on one connection of their own, and gives the statuses of all answers. */
  async function converse(pieces: readonly Piece[]): Promise<number[]> {
    const connection = await openRaw(proxy.origin);
    connection.send(pieces.map((piece) => piece.bytes).join(''));
    const statuses: number[] = [];
    for (const piece of pieces) {
      statuses.push((await connection.response()).status);
      if (!piece.ends) continue;
      expect((await connection.rest()).toString()).toBe('');
      break;
    }
    connection.close();
    return statuses;
  }

  it('sees as many requests upstream, and the same bodies, as were let in', {
    timeout,
  }, async () => {
    const random = createSeededRandom(seed);
    let sent = 0;
    for (let batch = 0; batch < batches; batch++) {
      proxy.upstream.forget();
      const conversations = Array.from({ length: CONNECTIONS }, (_, i) =>
        Array.from({ length: 1 + random.below(5) }, (_, k) => pieceOf(random, `/public/${i}/${k}`)),
      );
      const statuses = await Promise.all(conversations.map(converse));
      conversations.forEach((pieces, i) => {
        const end = pieces.findIndex((piece) => piece.ends);
        const answered = end < 0 ? pieces : pieces.slice(0, end + 1);
        const expected = answered.flatMap(({ expected }) => (expected === null ? [] : [expected]));
        expect(statuses[i]).toEqual(answered.map((piece) => (piece.expected === null ? 400 : 200)));
        const arrived = proxy.upstream.requests.filter(({ target }) => target.startsWith(`/public/${i}/`));
        expect(arrived.map(({ target, body }) => [target, body.toString('latin1')])).toEqual(expected);
        sent += expected.length;
      });
    }
    expect(sent).toBeGreaterThan(batches * CONNECTIONS);
  });
});
