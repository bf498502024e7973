import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { parseChunkedBody, parseHead } from '../../support/http-message.ts';
import { exchangeRaw, openRaw, requestBytes } from '../../support/raw-http.ts';

let server: Server | undefined;

/** A server that sends these bytes, in these pieces, to whoever connects, and then ends if told to. */
async function serve(pieces: readonly string[], end: 'open' | 'end' | 'reset' = 'open'): Promise<string> {
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.setNoDelay(true);
    for (const piece of pieces) socket.write(Buffer.from(piece, 'latin1'));
    if (end === 'end') socket.end();
    if (end === 'reset') socket.once('data', () => socket.resetAndDestroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

afterEach(() => void server?.close());

describe('exchangeRaw', () => {
  it.each([
    ['a sized body', ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokmore'], 'open', 'ok'],
    ['a body in pieces', ['HTTP/1.1 200 OK\r\nContent-', 'Length: 4\r\n\r', '\nab', 'cd'], 'open', 'abcd'],
    [
      'a chunked body',
      ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n'],
      'open',
      'abc',
    ],
    ['a body up to the end', ['HTTP/1.1 200 OK\r\n\r\n', 'all of it'], 'end', 'all of it'],
    ['no body with 204', ['HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n'], 'open', ''],
  ] as const)('reads %s', async (_name, pieces, end, body) => {
    const answer = await exchangeRaw(await serve(pieces, end), requestBytes('GET / HTTP/1.1'));
    expect(answer.text).toBe(body);
  });

  it('keeps header pairs as spelt, in order, and refuses to pick one of two', async () => {
    const origin = await serve(['HTTP/1.1 200 \r\nX-A:  1 \r\nx-a: 2\r\nContent-Length: 0\r\n\r\n']);
    const answer = await exchangeRaw(origin, 'x');
    expect(answer.headers.slice(0, 2)).toEqual([
      ['X-A', '1'],
      ['x-a', '2'],
    ]);
    expect(() => answer.header('X-a')).toThrow('X-a occurs 2 times: 1 | 2');
    expect(answer.header('content-length')).toBe('0');
    expect(answer.header('x-b')).toBeUndefined();
  });

  it('reads no body after HEAD', async () => {
    const origin = await serve(['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n']);
    const answer = await exchangeRaw(origin, 'x', 'HEAD');
    expect([answer.status, answer.text]).toEqual([200, '']);
  });

  it('keeps 1xx answers apart and trailers with their body', async () => {
    const origin = await serve([
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: 7\r\n\r\n',
    ]);
    const answer = await exchangeRaw(origin, 'x');
    expect(answer.interim.map((each) => each.status)).toEqual([100, 103]);
    expect(answer.interim[1]?.header('link')).toBe('</a>');
    expect(answer.trailers).toEqual([['X-Sum', '7']]);
  });

  it('says what came when the connection closes too early', async () => {
    const origin = await serve(['HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort'], 'end');
    await expect(exchangeRaw(origin, 'x')).rejects.toThrow('the connection closed after "short"');
  });

  it('says so when the answer is no HTTP', async () => {
    const origin = await serve(['SSH-2.0-x\r\n\r\n']);
    await expect(exchangeRaw(origin, 'x')).rejects.toThrow('not a status line: "SSH-2.0-x"');
  });
});

describe('openRaw', () => {
  it('reads several answers, then single bytes, then the rest', async () => {
    const one = 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n';
    const origin = await serve([`${one}1${one}2`, 'HTTP/1.1 101 Switching Protocols\r\n\r\nabc|rest'], 'end');
    const connection = await openRaw(origin);
    expect((await connection.response()).text).toBe('1');
    expect((await connection.response()).text).toBe('2');
    expect((await connection.response()).status).toBe(101);
    expect((await connection.take(1)).toString()).toBe('a');
    expect((await connection.takeUntil('|')).toString()).toBe('bc|');
    expect((await connection.rest()).toString()).toBe('rest');
    expect(await connection.closed).toBe('end');
    connection.close();
  });

  it('tells a reset from an end', async () => {
    const connection = await openRaw(await serve([], 'reset'));
    connection.send('x');
    expect(await connection.closed).toBe('reset');
  });
});

describe('http-message', () => {
  it('waits for the whole head, and takes a bare LF for a line end', () => {
    expect(parseHead(Buffer.from('GET / HTTP/1.1\r\nA: b\r\n'))).toBeUndefined();
    expect(parseHead(Buffer.from('GET / HTTP/1.1\nA: b\n\nbody'))).toMatchObject({
      startLine: 'GET / HTTP/1.1',
      lines: ['A: b'],
      length: 21,
    });
  });

  it.each(['2\r\nab', '2\r\nab\r\n0\r\n', '2\r\nab\r\n0\r\nX: y\r\n', ''])(
    'waits for the end of %j',
    (part) => {
      expect(parseChunkedBody(Buffer.from(part))).toBeUndefined();
    },
  );

  it('refuses a chunk size that is no number', () => {
    expect(() => parseChunkedBody(Buffer.from('zz\r\n'))).toThrow('not a chunk size: "zz"');
  });
});
