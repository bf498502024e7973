import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { OPEN_ROUTE } from '../support/open-route.ts';
import { type ProxyUnderTest, startProxy } from '../support/proxy.ts';
import { openRaw } from '../support/raw-http.ts';
import { answer, chunk, chunked, closeAfter, raw, script } from '../support/upstream-answers.ts';

let proxy: ProxyUnderTest;

beforeAll(async () => {
  proxy = await startProxy({ routes: [OPEN_ROUTE] });
});
afterAll(() => proxy.stop());
beforeEach(() => proxy.upstream.forget());

const send = (requestLine: string, headerLines: readonly string[] = [], body = '') =>
  proxy.request(`${requestLine} HTTP/1.1`, headerLines, body);

describe('a request’s body', () => {
  const CHUNKED = 'Transfer-Encoding: chunked';

  it.each([
    ['GET', [], '', undefined, undefined],
    ['GET', ['Content-Length: 0'], '', undefined, undefined],
    ['GET', [CHUNKED], '0\r\n\r\n', undefined, 'chunked'],
    ['GET', ['Content-Length: 4'], 'body', '4', undefined],
    ['GET', [CHUNKED], `${chunk('body')}0\r\n\r\n`, undefined, 'chunked'],
    ['DELETE', [], '', undefined, undefined],
    ['DELETE', ['Content-Length: 4'], 'body', '4', undefined],
    ['POST', [], '', '0', undefined],
    ['POST', ['Content-Length: 0'], '', '0', undefined],
    ['POST', ['Content-Length: 4'], 'body', '4', undefined],
    ['POST', [CHUNKED], `${chunk('bo')}${chunk('dy')}0\r\n\r\n`, undefined, 'chunked'],
    ['POST', ['transfer-encoding: Chunked'], `${chunk('body')}0\r\n\r\n`, undefined, 'chunked'],
    ['PUT', ['Content-Length: 4'], 'body', '4', undefined],
    ['PATCH', [CHUNKED], `2;ext=1\r\nbo\r\n2\r\ndy\r\n0\r\nX-Trailer: 1\r\n\r\n`, undefined, 'chunked'],
    ['OPTIONS', ['Content-Length: 4'], 'body', '4', undefined],
    ['REPORT', ['Content-Length: 4'], 'body', '4', undefined],
  ] as const)('%s with %j and %j', async (method, lines, body, length, encoding) => {
    const connection = await openRaw(proxy.origin);
    connection.send([`${method} /up HTTP/1.1`, 'Host: a', ...lines, '', body].join('\r\n'));
    expect((await connection.response(method)).status).toBe(200);
    connection.close();
    const seen = await proxy.upstream.request(0);
    expect([seen.method, seen.values('content-length')[0], seen.values('transfer-encoding')[0]]).toEqual([
      method,
      length,
      encoding,
    ]);
    expect(seen.body.toString()).toBe(body.includes('bo') ? 'body' : '');
    expect(seen.trailers).toEqual([]);
  });

  it('arrives whole, every byte of it, whatever the size of its pieces', async () => {
    const bytes = Buffer.from(Array.from({ length: 1_000_003 }, (_, i) => (i * 7919) & 0xff));
    const connection = await openRaw(proxy.origin);
    connection.send(`POST /big HTTP/1.1\r\nHost: a\r\nContent-Length: ${bytes.length}\r\n\r\n`);
    for (let at = 0, size = 1; at < bytes.length; at += size, size = (size * 3) % 90_001) {
      connection.send(bytes.subarray(at, at + size));
    }
    expect((await connection.response('POST')).status).toBe(200);
    connection.close();
    expect((await proxy.upstream.request(0)).body.equals(bytes)).toBe(true);
  });

  it('and the answer’s go on as they come, both at once', async () => {
    proxy.upstream.on(
      '/live',
      script(async ({ socket, write }) => {
        await write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
        socket.on('data', (bytes: Buffer) => void write(chunk(`<${bytes.toString('latin1')}>`)));
      }, 'head'),
    );
    const connection = await openRaw(proxy.origin);
    connection.send(`POST /live HTTP/1.1\r\nHost: a\r\n${CHUNKED}\r\n\r\n${chunk('first')}`);
    expect((await connection.head()).status).toBe(200);
    for (const part of ['second', 'third']) {
      connection.send(chunk(part));
      expect((await connection.takeUntil('>')).toString()).toContain(part);
    }
    connection.send('0\r\n\r\n');
    await connection.takeUntil('0\r\n\r\n>');
    connection.close();
  });
});

describe('an answer’s body', () => {
  it.each([
    ['a length', answer(200, 'body'), 'content-length', '4'],
    ['chunks', chunked(['bo', 'dy']), 'transfer-encoding', 'chunked'],
    [
      'chunks, for lack of a length',
      closeAfter('HTTP/1.1 200 OK\r\n\r\nbody'),
      'transfer-encoding',
      'chunked',
    ],
    [
      'chunks, from an HTTP/1.0 server',
      closeAfter('HTTP/1.0 200 OK\r\n\r\nbody'),
      'transfer-encoding',
      'chunked',
    ],
    [
      'a length, from an HTTP/1.0 server',
      closeAfter('HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nbody'),
      'content-length',
      '4',
    ],
  ] as const)('is delimited by %s', async (_what, reply, header, value) => {
    proxy.upstream.on('/down', reply);
    const got = await send('GET /down');
    expect([got.text, got.header(header)]).toEqual(['body', value]);
  });

  it.each([
    ['HEAD with a length', 'HEAD', raw('HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n'), 200, '1234'],
    ['HEAD of chunks', 'HEAD', raw('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'), 200, undefined],
    ['HEAD without either', 'HEAD', closeAfter('HTTP/1.1 200 OK\r\n\r\n'), 200, undefined],
    ['204', 'GET', raw('HTTP/1.1 204 No Content\r\n\r\n'), 204, undefined],
    [
      '204 with a length',
      'DELETE',
      raw('HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n'),
      204,
      undefined,
    ],
    [
      '304 with the length of what it stands for',
      'GET',
      raw('HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\nETag: "x"\r\n\r\n'),
      304,
      '9',
    ],
    ['304', 'GET', raw('HTTP/1.1 304 Not Modified\r\n\r\n'), 304, undefined],
    ['205', 'POST', raw('HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n'), 205, '0'],
  ] as const)('is not there: %s', async (_what, method, reply, status, length) => {
    proxy.upstream.on('/none', reply);
    const connection = await openRaw(proxy.origin);
    connection.send(`${method} /none HTTP/1.1\r\nHost: a\r\n\r\n`);
    const got = await connection.response(method);
    expect([got.status, got.header('content-length'), got.header('transfer-encoding'), got.text]).toEqual([
      status,
      length,
      undefined,
      '',
    ]);
    // The next answer on the connection begins where this one ended.
    connection.send('GET /next HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await connection.response()).text).toBe('ok');
    connection.close();
  });

  it('that a HEAD answer sends against the rules is not taken for the next answer', async () => {
    proxy.upstream.on(
      '/lying',
      raw('HTTP/1.1 200 OK\r\nContent-Length: 38\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'),
    );
    const connection = await openRaw(proxy.origin);
    connection.send('HEAD /lying HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await connection.response('HEAD')).status).toBe(200);
    connection.send('GET /true HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await connection.response()).text).toBe('ok');
    connection.close();
  });

  it.each([
    ['HEAD', '200 OK', 'Content-Length: 38'],
    ['HEAD', '200 OK', 'Transfer-Encoding: chunked'],
    ['GET', '204 No Content', 'Content-Length: 38'],
    ['GET', '304 Not Modified', 'Transfer-Encoding: chunked'],
  ])(
    'that %s %s may send late, against the rules, finds no request on its connection: %s',
    async (method, status, line) => {
      proxy.upstream.on('/late', raw(`HTTP/1.1 ${status}\r\n${line}\r\n\r\n`));
      const connection = await openRaw(proxy.origin);
      connection.send(`${method} /late HTTP/1.1\r\nHost: a\r\n\r\n`);
      await connection.response(method);
      connection.close();
      await send('GET /somebody-else');
      const [late, next] = proxy.upstream.requests;
      expect(next?.connection).not.toBe(late?.connection);
    },
  );

  it('comes whole, every byte of it', async () => {
    const bytes = Buffer.from(Array.from({ length: 1_000_003 }, (_, i) => (i * 7919) & 0xff));
    const head = `HTTP/1.1 200 OK\r\nContent-Length: ${bytes.length}\r\n\r\n`;
    proxy.upstream.on('/big', raw(Buffer.concat([Buffer.from(head), bytes])));
    expect((await send('GET /big')).body.equals(bytes)).toBe(true);
  });
});

describe('an HTTP/1.0 client', () => {
  const ask = async (headerLines: readonly string[] = []) => {
    const connection = await openRaw(proxy.origin);
    connection.send(['GET /old HTTP/1.0', ...headerLines, '', ''].join('\r\n'));
    return connection;
  };

  it('gets chunks taken out of their framing, and the end of the connection as the end', async () => {
    proxy.upstream.on('/old', chunked(['bo', 'dy'], ['X-Sum: 1']));
    const connection = await ask(['Host: a']);
    const got = await connection.response();
    expect([
      got.text,
      got.header('transfer-encoding'),
      got.header('trailer'),
      got.header('connection'),
    ]).toEqual(['body', undefined, undefined, 'close']);
    expect(await connection.closed).toBe('end');
  });

  it('keeps its connection where it asks and the length is known', async () => {
    const connection = await ask(['Host: a', 'Connection: keep-alive']);
    const got = await connection.response();
    expect([got.text, got.header('connection')]).toEqual(['ok', 'keep-alive']);
    connection.send('GET /again HTTP/1.0\r\nHost: a\r\n\r\n');
    expect((await connection.response()).text).toBe('ok');
    expect(await connection.closed).toBe('end');
  });

  it('needs no Host, and the upstream is told its own', async () => {
    const connection = await ask();
    expect((await connection.response()).text).toBe('ok');
    const seen = await proxy.upstream.request(0);
    expect([seen.values('host'), seen.requestLine]).toEqual([
      [new URL(proxy.upstream.origin).host],
      'GET /old HTTP/1.1',
    ]);
    expect(await connection.closed).toBe('end');
  });
});
