/**
 * Answers that two readers would read differently, byte for byte: response splitting and smuggling. They are refused, or cut off
 * where the header section has gone out already; what RFC 9112 lets a lenient reader read may instead be read as it says there,
 * and as nothing else. Each goes through requests with and without a body, which may leave the proxy by different ways.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { echoTarget } from '../../support/echo-upstream.ts';
import { OPEN_ROUTE } from '../../support/open-route.ts';
import { type ProxyUnderTest, startProxy } from '../../support/proxy.ts';
import { openRaw, type RawConnection, requestBytes } from '../../support/raw-http.ts';
import { closeAfter, raw } from '../../support/upstream-answers.ts';

let proxy: ProxyUnderTest;

beforeAll(async () => {
  proxy = await startProxy({ upstreams: { board: { retries: 0 } }, routes: [OPEN_ROUTE] });
});
afterAll(() => proxy.stop());
beforeEach(() => {
  proxy.upstream.forget();
  proxy.upstream.on('*', echoTarget());
});

const REQUESTS: readonly [method: string, body: string][] = [
  ['GET', ''],
  ['DELETE', ''],
  ['POST', 'body'],
];

const OK = 'HTTP/1.1 200 OK\r\n';
const SIZED = `${OK}Content-Length: 2\r\n\r\nok`;
const CHUNKS = '2\r\nok\r\n0\r\n\r\n';
const lengths = (lines: string): string => `${OK}${lines}\r\n\r\nok`;
const coded = (lines: string): string => `${OK}${lines}\r\n\r\n${CHUNKS}`;
const status = (line: string): string => `${line}\r\nContent-Length: 2\r\n\r\nok`;
const header = (line: string): string => `${OK}${line}\r\nContent-Length: 2\r\n\r\nok`;

describe('a header section that is not HTTP', () => {
  const REFUSED: readonly [what: string, bytes: string][] = [
    // RFC 9112 section 6.3: the length.
    ['two lengths that differ', lengths('Content-Length: 2\r\nContent-Length: 3')],
    ['two lengths that differ, the longer first', lengths('Content-Length: 3\r\ncontent-length: 2')],
    ['a list of lengths that differ', lengths('Content-Length: 2, 3')],
    ['no length where one is named', lengths('Content-Length:')],
    ['a length with a plus', lengths('Content-Length: +2')],
    ['a length below nothing', lengths('Content-Length: -2')],
    ['a length in hexadecimal', lengths('Content-Length: 0x2')],
    ['a length with a space in it', lengths('Content-Length: 2 2')],
    ['a length with an exponent', lengths('Content-Length: 2e0')],
    ['a length with a point', lengths('Content-Length: 2.0')],
    ['a length in quotes', lengths('Content-Length: "2"')],
    ['a length beyond 64 bits', lengths('Content-Length: 18446744073709551618')],
    ['a length and chunks', coded('Content-Length: 2\r\nTransfer-Encoding: chunked')],
    ['chunks and a length', coded('Transfer-Encoding: chunked\r\nContent-Length: 2')],
    ['chunks and a length of nothing', coded('Transfer-Encoding: chunked\r\nContent-Length: 0')],
    ['chunks in another case, and a length', coded('TRANSFER-encoding: Chunked\r\ncontent-LENGTH: 2')],
    ['a coding after a vertical tab', coded('Transfer-Encoding: \x0bchunked')],
    // Section 5.1: a name and its colon.
    ['a space before the colon of the length', lengths('Content-Length : 2')],
    ['a space before the colon of the coding', coded('Transfer-Encoding : chunked')],
    ['a tab before a colon', header('X-A\t: b')],
    ['a line without a colon', header('X-A')],
    ['a line without a name', header(': b')],
    ['a name that is no ASCII', header('X-\xe9: b')],
    ['a name with a NUL', header('X-A\0: b')],
    // Section 5.2: lines that go on in the next.
    ['a folded line', header('X-A: b\r\n c')],
    ['a line folded with a tab', header('X-A: b\r\n\tc')],
    ['a folded length', lengths('Content-Length:\r\n 2')],
    ['a folded coding', coded('Transfer-Encoding:\r\n chunked')],
    ['a fold in the first line', `${OK} X-A: b\r\nContent-Length: 2\r\n\r\nok`],
    // Section 2.2: where a line ends.
    ['a line that ends with LF alone', header('X-A: b\nX-C: d')],
    ['a status line that ends with LF alone', 'HTTP/1.1 200 OK\nContent-Length: 2\r\n\r\nok'],
    ['a header section that ends with LF alone', `${OK}Content-Length: 2\r\n\nok`],
    ['nothing but LF', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok'],
    ['a CR in a value', header('X-A: b\rX-C: d')],
    ['a CR too many', header('X-A: b\r')],
    ['a NUL in a value', header('X-A: b\0c')],
    // Section 4: the status line.
    ['two spaces before the status', status('HTTP/1.1  200 OK')],
    ['a tab before the status', status('HTTP/1.1\t200 OK')],
    ['a space before all', status(' HTTP/1.1 200 OK')],
    ['a version in lower case', status('http/1.1 200 OK')],
    ['a version without a point', status('HTTP/11 200 OK')],
    ['another protocol', status('ICY 200 OK')],
    ['no status', status('HTTP/1.1 OK')],
    ['a status of two digits', status('HTTP/1.1 20 OK')],
    ['a status of four digits', status('HTTP/1.1 2000 OK')],
    ['a status below 100', status('HTTP/1.1 099 OK')],
    ['a status of nothing', status('HTTP/1.1 000 OK')],
    ['a status below nothing', status('HTTP/1.1 -20 OK')],
    ['a status with a letter', status('HTTP/1.1 2x0 OK')],
    ['a status that runs into its reason', status('HTTP/1.1 200OK')],
    ['a CR in the reason', status('HTTP/1.1 200 O\rK')],
    // RFC 9110 section 15.2.2: nobody has asked for another protocol.
    ['a switch of protocols', `HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n${SIZED}`],
    ['a switch of protocols to nothing', `HTTP/1.1 101 S\r\n\r\n${SIZED}`],
    // Sizes.
    ['a line beyond the limit', header(`X-A: ${'b'.repeat(70_000)}`)],
    ['a name beyond the limit', header(`${'A'.repeat(70_000)}: b`)],
    ['lines beyond the limit', header(`${`X-A: ${'b'.repeat(500)}\r\n`.repeat(140)}X-Z: z`)],
  ];

  it.each(REFUSED)('%s: refused, and the connection is ended', async (_what, bytes) => {
    for (const [method, body] of REQUESTS) {
      proxy.upstream.forget();
      proxy.upstream.on('/odd', raw(bytes));
      proxy.upstream.on('/well', echoTarget());
      const got = await proxy.request(`${method} /odd HTTP/1.1`, [], body);
      expect([method, got.status, got.interim, got.json()]).toEqual([
        method,
        502,
        [],
        {
          message: 'Bad Gateway',
          code: 'UPSTREAM_RESPONSE_INVALID',
          requestId: got.header('x-request-id'),
        },
      ]);
      const { connection } = await proxy.upstream.request(0);
      expect(await proxy.upstream.closed(connection)).toMatch(/end|reset/);
      expect((await proxy.request('GET /well HTTP/1.1')).text).toBe('/well');
    }
  });

  const READ_OR_REFUSED: readonly [what: string, bytes: string, text: string, status?: number][] = [
    ['one length, said twice', lengths('Content-Length: 2\r\nContent-Length: 2'), 'ok'],
    ['a list of one length', lengths('Content-Length: 2, 2'), 'ok'],
    ['a length with space behind it', lengths('Content-Length: 2 \t'), 'ok'],
    ['a length with zeros before it', lengths('Content-Length: 0002'), 'ok'],
    ['a length under another name beside it', lengths('Content_Length: 9\r\nContent-Length: 2'), 'ok'],
    ['a length that Connection names', lengths('Connection: content-length\r\nContent-Length: 2'), 'ok'],
    [
      'a coding that Connection names',
      coded('Connection: transfer-encoding\r\nTransfer-Encoding: chunked'),
      'ok',
    ],
    ['chunks in another case', coded('Transfer-Encoding: CHUNKED'), 'ok'],
    // No chunks come last: all up to the end is the body (RFC 9112 section 6.3).
    ['a coding that ends in the letters of chunked', coded('Transfer-Encoding: xchunked'), CHUNKS],
    ['a coding with a parameter', coded('Transfer-Encoding: chunked;q=1'), CHUNKS],
    ['a coding in quotes', coded('Transfer-Encoding: "chunked"'), CHUNKS],
    ['no coding where one is named', coded('Transfer-Encoding:'), CHUNKS],
    ['chunks that are not the last coding', coded('Transfer-Encoding: chunked, gzip'), CHUNKS],
    ['a status line without a reason', status('HTTP/1.1 200'), 'ok'],
    ['a status line with an empty reason', status('HTTP/1.1 200 '), 'ok'],
    ['an empty line before all', `\r\n${SIZED}`, 'ok'],
    ['a status that nobody knows', status('HTTP/1.1 599 What'), 'ok', 599],
    ['an upgrade that is none', header('Connection: Upgrade\r\nUpgrade: websocket'), 'ok'],
    ['an interim answer with a length', `HTTP/1.1 103 H\r\nContent-Length: 5\r\n\r\n${SIZED}`, 'ok'],
    ['an interim answer in chunks', `HTTP/1.1 103 H\r\nTransfer-Encoding: chunked\r\n\r\n${SIZED}`, 'ok'],
    ['no content with a length', 'HTTP/1.1 204 N\r\nContent-Length: 2\r\n\r\nok', '', 204],
    ['no content in chunks', `HTTP/1.1 204 N\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKS}`, '', 204],
    ['nothing modified, with a length', 'HTTP/1.1 304 N\r\nContent-Length: 2\r\n\r\nok', '', 304],
  ];

  it.each(READ_OR_REFUSED)('%s: refused, or read in the one way', async (_what, bytes, text, code = 200) => {
    for (const [method, body] of REQUESTS) {
      proxy.upstream.forget();
      proxy.upstream.on('/odd', closeAfter(bytes));
      proxy.upstream.on('/well', echoTarget());
      const got = await proxy.request(`${method} /odd HTTP/1.1`, [], body);
      if (got.status === 502) expect(got.json()).toMatchObject({ code: 'UPSTREAM_RESPONSE_INVALID' });
      else expect([method, got.status, got.text]).toEqual([method, code, text]);
      expect((await proxy.request('GET /well HTTP/1.1')).text).toBe('/well');
    }
  });
});

describe('chunks that are none', () => {
  const CUT: readonly [what: string, chunks: string][] = [
    // RFC 9112 section 7.1.
    ['a size that is missing', '\r\nok\r\n0\r\n\r\n'],
    ['a size below nothing', '-2\r\nok\r\n0\r\n\r\n'],
    ['a size with a plus', '+2\r\nok\r\n0\r\n\r\n'],
    ['a size with 0x', '0x2\r\nok\r\n0\r\n\r\n'],
    ['a size with a space before it', ' 2\r\nok\r\n0\r\n\r\n'],
    ['a size with an underscore', '2_\r\nok\r\n0\r\n\r\n'],
    ['a size beyond 64 bits', '10000000000000002\r\nok\r\n0\r\n\r\n'],
    ['a size that ends with LF alone', '2\nok\r\n0\r\n\r\n'],
    ['an extension with LF', '2;a\nb\r\nok\r\n0\r\n\r\n'],
    ['an extension with CR', '2;a\rb\r\nok\r\n0\r\n\r\n'],
    ['a chunk that ends with LF alone', '2\r\nok\n0\r\n\r\n'],
    ['a chunk that ends without a line’s end', '2\r\nok0\r\n\r\n'],
    ['a chunk longer than its size', '2\r\nokay\r\n0\r\n\r\n'],
    ['a chunk one byte longer than its size', '2\r\noka\r\n0\r\n\r\n'],
    ['a last chunk that ends with LF alone', '2\r\nok\r\n0\n\r\n'],
    ['an end that is LF alone', '2\r\nok\r\n0\r\n\n'],
    // Sections 5 and 7.1.2: trailers are fields.
    ['a trailer without a colon', '2\r\nok\r\n0\r\nbad\r\n\r\n'],
    ['a folded trailer', '2\r\nok\r\n0\r\nX-A: b\r\n c\r\n\r\n'],
    ['a trailer with a NUL', '2\r\nok\r\n0\r\nX-A: \0\r\n\r\n'],
  ];

  it.each(CUT)('%s: cut off, never a whole answer', async (what, chunks) => {
    for (const [method, body] of REQUESTS) {
      const path = `/cut/${method}/${what.replaceAll(/\W/g, '-')}`;
      proxy.upstream.on(path, raw(`${OK}Transfer-Encoding: chunked\r\n\r\n${chunks}`));
      const connection = await send(method, path, body);
      const bytes = await allOf(connection);
      // 502 where nothing of the answer had gone out yet.
      if (!bytes.startsWith('HTTP/1.1 502 ')) expect(bytes).not.toMatch(/\r\n0\r\n/);
      expect(await proxy.logged(path)).toMatchObject({
        decision: 'fault',
        code: 'UPSTREAM_RESPONSE_INVALID',
      });
      const sent = proxy.upstream.requests.filter(({ target }) => target === path);
      expect(sent).toHaveLength(1);
      await proxy.upstream.closed(sent[0]?.connection ?? 0);
    }
  });

  it.each([
    ['sizes with zeros', '0002\r\nok\r\n0\r\n\r\n'],
    ['a last chunk of many zeros', '2\r\nok\r\n000\r\n\r\n'],
    ['sizes in either case', '2\r\nok\r\nA\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n'],
    ['an extension', '2;a=b\r\nok\r\n0;c\r\n\r\n'],
    ['an extension of which the value is quoted', '2;a="\\"\\r"\r\nok\r\n0\r\n\r\n'],
  ])('well enough are %s', async (_what, chunks) => {
    const text = `ok${chunks.includes('A\r\n') ? '01234567890123456789' : ''}`;
    for (const [method, body] of REQUESTS) {
      proxy.upstream.on('/chunks', raw(`${OK}Transfer-Encoding: chunked\r\n\r\n${chunks}`));
      const got = await proxy.request(`${method} /chunks HTTP/1.1`, [], body);
      expect([method, got.status, got.text]).toEqual([method, 200, text]);
      expect((await proxy.request('GET /well HTTP/1.1')).text).toBe('/well');
    }
  });

  it.each(['Content-Length: 4', 'Transfer-Encoding: chunked', 'Host: a', 'Connection: close'])(
    'have no trailer that frames or routes: %s',
    async (trailer) => {
      proxy.upstream.on(
        '/chunks',
        raw(`${OK}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n${trailer}\r\nX-Kept: 1\r\n\r\n`),
      );
      const bytes = await allOf(await send('GET', '/chunks', ''));
      // Refused, or taken out.
      if (bytes.includes('\r\n0\r\n')) expect(bytes).toMatch(/\r\n0\r\nx-kept: 1\r\n\r\n$/i);
      else expect(bytes).not.toContain('X-Kept');
      expect((await proxy.request('GET /well HTTP/1.1')).text).toBe('/well');
    },
  );

  it('of a size beyond 32 bits are no shorter for that', async () => {
    for (const [method, body] of REQUESTS) {
      const path = `/wide/${method}`;
      proxy.upstream.on(
        path,
        closeAfter(`${OK}Transfer-Encoding: chunked\r\n\r\n100000002\r\nok\r\n0\r\n\r\n`),
      );
      const connection = await send(method, path, body);
      expect(await allOf(connection)).not.toMatch(/\r\n0\r\n\r\n$/);
      expect(await proxy.logged(path)).toMatchObject({ decision: 'fault' });
    }
  });
});

async function send(method: string, path: string, body: string): Promise<RawConnection> {
  const connection = await openRaw(proxy.origin);
  connection.send(requestBytes(`${method} ${path} HTTP/1.1`, ['Host: a', 'Connection: close'], body));
  return connection;
}

async function allOf(connection: RawConnection): Promise<string> {
  const bytes = (await connection.rest()).toString('latin1');
  connection.close();
  return bytes;
}
