import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type SampleUpstream, startSampleUpstream } from '../../../src/dev/sample-upstream.ts';
import { exchangeRaw, openRaw, requestBytes } from '../../support/raw-http.ts';

let upstream: SampleUpstream;

beforeEach(async () => {
  upstream = await startSampleUpstream();
});
afterEach(() => upstream.stop());

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

describe('any request', () => {
  it('is said back as it was', async () => {
    const bytes = requestBytes(
      'PUT /a/../b%2Fc?x=1&x=%20?2 HTTP/1.1',
      ['hOST: x', 'X-Odd: 1', 'x-odd: 2'],
      'ü',
    );
    const answer = await exchangeRaw(upstream.origin, Buffer.from(bytes, 'utf8'));
    expect(answer.status).toBe(200);
    expect(answer.header('content-type')).toBe('application/json; charset=utf-8');
    expect(answer.json()).toEqual({
      method: 'PUT',
      path: '/a/../b%2Fc',
      query: 'x=1&x=%20?2',
      headers: [
        ['hOST', 'x'],
        ['X-Odd', '1'],
        ['x-odd', '2'],
        ['Content-Length', '2'],
      ],
      body: 'ü',
      bodyLength: 2,
      bodySha256: sha256('ü'),
      signature: { present: false },
    });
  });

  it('has no query when it has no question mark', async () => {
    expect(await (await fetch(`${upstream.origin}/plain`)).json()).toMatchObject({ query: null, body: '' });
    expect(await (await fetch(`${upstream.origin}/plain?`)).json()).toMatchObject({ path: '/plain' });
  });

  it('is said back up to 64 KiB, and hashed as a whole', async () => {
    const body = 'a'.repeat(200_000);
    const answer = await fetch(upstream.origin, { method: 'POST', body });
    const { body: said, ...rest } = (await answer.json()) as { body: string };
    expect(said.length).toBe(65_536);
    expect(rest).toMatchObject({ bodyLength: 200_000, bodySha256: sha256(body) });
  });

  it('is shown to the judge of signatures that it was given', async () => {
    const seen: unknown[] = [];
    const report = { present: true, valid: false, code: 'InvalidToken', reason: 'why' } as const;
    const judged = await startSampleUpstream({
      judgeSignature(head) {
        seen.push(head);
        return { update: (bytes) => void seen.push(bytes.toString()), end: () => report };
      },
    });
    const answer = await exchangeRaw(judged.origin, requestBytes('POST /a?b HTTP/1.1', ['Host: x'], 'body'));
    expect(answer.json()).toMatchObject({ signature: report });
    expect(seen).toEqual([
      {
        method: 'POST',
        target: '/a?b',
        headers: [
          ['Host', 'x'],
          ['Content-Length', '4'],
        ],
      },
      'body',
    ]);
    await judged.stop();
  });

  it('may be cut off by its client', async () => {
    const connection = await openRaw(upstream.origin);
    connection.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nshort');
    connection.reset();
    expect((await fetch(upstream.origin)).status).toBe(200);
  });
});

describe('/events', () => {
  it('is a stream of events', async () => {
    const connection = await openRaw(upstream.origin);
    connection.send(requestBytes('GET /events HTTP/1.1', ['Host: x']));
    const head = await connection.head();
    expect(head.header('content-type')).toBe('text/event-stream');
    expect((await connection.takeUntil('\n\n')).toString()).toContain('id: 1\ndata: {"id":1,"time":"');
    connection.close();
  });
});

describe('/ws/echo', () => {
  const open = async (path = '/ws/echo'): Promise<WebSocket> => {
    const socket = new WebSocket(upstream.origin.replace('http', 'ws') + path);
    await once(socket, 'open');
    return socket;
  };

  it('sends every message back as it came', async () => {
    const socket = await open('/ws/echo?x=1');
    socket.send('text');
    expect(await once(socket, 'message')).toEqual([Buffer.from('text'), false]);
    socket.send(Buffer.from([0, 255]));
    expect(await once(socket, 'message')).toEqual([Buffer.from([0, 255]), true]);
    socket.close(4000, 'enough');
    expect((await once(socket, 'close'))[0]).toBe(4000);
  });

  it('closes on a message that is too large, and lives on', async () => {
    const socket = await open();
    socket.send(Buffer.alloc(1_048_577));
    expect((await once(socket, 'close'))[0]).toBe(1009);
    (await open()).terminate();
  });

  it('refuses other paths', async () => {
    await expect(open('/ws/other')).rejects.toThrow('Unexpected server response: 404');
  });
});

describe('stop', () => {
  it('ends streams and sockets that are open', async () => {
    const local = await startSampleUpstream();
    const socket = new WebSocket(`${local.origin.replace('http', 'ws')}/ws/echo`);
    await once(socket, 'open');
    const stream = await openRaw(local.origin);
    stream.send(requestBytes('GET /events HTTP/1.1', ['Host: x']));
    await stream.head();
    const closed = once(socket, 'close');
    await local.stop();
    await closed;
    await stream.closed;
    stream.close();
    await expect(openRaw(local.origin)).rejects.toThrow('ECONNREFUSED');
  });

  it('says so when the port is taken', async () => {
    const squatter = createServer().listen(0, '127.0.0.1');
    await once(squatter, 'listening');
    const { port } = squatter.address() as { port: number };
    await expect(startSampleUpstream({ port })).rejects.toMatchObject({ code: 'EADDRINUSE', port });
    squatter.close();
  });
});
