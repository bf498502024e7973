import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { exchangeRaw, openRaw, requestBytes } from '../../support/raw-http.ts';
import { type RecordingUpstream, startRecordingUpstream } from '../../support/recording-upstream.ts';
import {
  afterInterim,
  answer,
  chunked,
  closeAfter,
  held,
  raw,
  reset,
  shortBody,
  silence,
  upgradeEcho,
} from '../../support/upstream-answers.ts';

let upstream: RecordingUpstream;

beforeEach(async () => {
  upstream = await startRecordingUpstream();
});
afterEach(() => upstream.stop());

const get = (path: string): string => requestBytes(`GET ${path} HTTP/1.1`, ['Host: x']);

describe('what it records', () => {
  it('keeps every byte, line and spelling', async () => {
    const bytes = requestBytes('POST /a%2Fb?q=1 HTTP/1.1', ['hOST: x', 'X-Odd:\tä ', 'x-odd: 2'], 'body');
    await exchangeRaw(upstream.origin, bytes);
    const [request] = upstream.requests;
    expect(upstream.bytes(1).toString('latin1')).toBe(bytes);
    expect(request).toMatchObject({
      connection: 1,
      requestLine: 'POST /a%2Fb?q=1 HTTP/1.1',
      method: 'POST',
      target: '/a%2Fb?q=1',
      headerLines: ['hOST: x', 'X-Odd:\tä ', 'x-odd: 2', 'Content-Length: 4'],
    });
    expect(request?.values('X-ODD')).toEqual(['ä', '2']);
    expect(request?.body.toString()).toBe('body');
  });

  it('takes chunks apart and keeps trailers', async () => {
    const head = 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n';
    await exchangeRaw(upstream.origin, `${head}2\r\nab\r\n1\r\nc\r\n0\r\nX-Sum: 7\r\n\r\n`);
    expect(upstream.requests[0]?.body.toString()).toBe('abc');
    expect(upstream.requests[0]?.trailers).toEqual([['X-Sum', '7']]);
  });

  it('counts requests and connections, pipelined or not', async () => {
    const first = await openRaw(upstream.origin);
    first.send(get('/1') + get('/2'));
    await first.response();
    await first.response();
    await exchangeRaw(upstream.origin, get('/3'));
    expect(upstream.requests.map(({ connection, target }) => [connection, target])).toEqual([
      [1, '/1'],
      [1, '/2'],
      [2, '/3'],
    ]);
    expect(upstream.connections).toBe(2);
    first.close();
    expect(await upstream.closed(1)).toBe('end');
  });

  it('does not count a request whose body never ends', async () => {
    const connection = await openRaw(upstream.origin);
    connection.send('POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nshort');
    connection.end();
    expect(await upstream.closed(1)).toBe('end');
    expect(upstream.requests).toEqual([]);
    connection.close();
  });

  it('waits for a request to come, and forgets when told', async () => {
    const second = upstream.request(1);
    await exchangeRaw(upstream.origin, get('/1'));
    await exchangeRaw(upstream.origin, get('/2'));
    expect((await second).target).toBe('/2');
    upstream.forget();
    expect(upstream.requests).toEqual([]);
    expect(upstream.connections).toBe(2);
  });

  it('tells a client that reset from one that ended', async () => {
    const connection = await openRaw(upstream.origin);
    const slow = held();
    upstream.on('/', slow);
    connection.send(get('/'));
    await slow.arrived;
    connection.reset();
    expect(await upstream.closed(1)).toBe('reset');
  });
});

describe('what it answers', () => {
  it('picks the answer by path without query, then *, then 200', async () => {
    upstream.on('/a', answer(201, 'created', ['X-A: b']));
    expect(await exchangeRaw(upstream.origin, get('/a?b'))).toMatchObject({ status: 201, text: 'created' });
    expect(await exchangeRaw(upstream.origin, get('/b'))).toMatchObject({ status: 200, text: 'ok' });
    upstream.on('*', answer(404, ''));
    expect(await exchangeRaw(upstream.origin, get('/b'))).toMatchObject({ status: 404, text: '' });
  });

  it('sends chunks, trailers and 1xx answers', async () => {
    const early = 'HTTP/1.1 103 Early Hints\r\nLink: </a>';
    upstream.on('/', afterInterim([early], chunked(['ab', 'c'], ['X-Sum: 7'])));
    const response = await exchangeRaw(upstream.origin, get('/'));
    expect(response.text).toBe('abc');
    expect(response.trailers).toEqual([['X-Sum', '7']]);
    expect(response.interim.map((each) => each.status)).toEqual([103]);
  });

  it.each([
    ['a short body', shortBody(10, 'short'), 'the connection closed after "short"'],
    ['a close half-way', closeAfter('HTTP/1.1 200 O'), 'the connection closed after "HTTP/1.1 200 O"'],
    ['a reset', reset(), 'the connection closed after ""'],
  ])('fails with %s', async (_name, broken, message) => {
    upstream.on('/', broken);
    await expect(exchangeRaw(upstream.origin, get('/'))).rejects.toThrow(message);
  });

  it('holds an answer until it is released', async () => {
    const slow = held(answer(200, 'late'));
    upstream.on('/', slow);
    const response = exchangeRaw(upstream.origin, get('/'));
    expect((await slow.arrived).target).toBe('/');
    slow.release();
    expect((await response).text).toBe('late');
  });

  it('answers a client that has half-closed', async () => {
    const slow = held(answer(200, 'late'));
    upstream.on('/', slow);
    const connection = await openRaw(upstream.origin);
    connection.send(get('/'));
    connection.end();
    await upstream.closed(1);
    slow.release();
    expect((await connection.response()).text).toBe('late');
    expect((await connection.rest()).length).toBe(0);
    connection.close();
  });

  it('never answers when silent', async () => {
    upstream.on('/', silence());
    const connection = await openRaw(upstream.origin);
    connection.send(get('/') + get('/next'));
    expect((await connection.response()).text).toBe('ok');
    expect(upstream.requests.map(({ target }) => target)).toEqual(['/', '/next']);
    connection.close();
  });

  it('answers before the body when told', async () => {
    upstream.on('/', raw('HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n', 'head'));
    const connection = await openRaw(upstream.origin);
    connection.send('POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\n');
    expect((await connection.response()).status).toBe(413);
    expect(upstream.requests).toEqual([]);
    connection.send('body');
    expect((await upstream.request(0)).body.toString()).toBe('body');
    connection.close();
  });

  it('turns into a tunnel that sends all back', async () => {
    upstream.on('/ws', upgradeEcho());
    const connection = await openRaw(upstream.origin);
    connection.send(`${requestBytes('GET /ws HTTP/1.1', ['Upgrade: websocket'])}early`);
    expect((await connection.response()).header('upgrade')).toBe('websocket');
    expect((await connection.take(5)).toString()).toBe('early');
    connection.send('late');
    expect((await connection.take(4)).toString()).toBe('late');
    expect(upstream.requests).toHaveLength(1);
    connection.close();
  });
});
