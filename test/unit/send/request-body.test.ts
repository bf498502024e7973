import { once } from 'node:events';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { RequestBody } from '../../../src/send/request-body.ts';

/** A request whose body a test pushes. */
function makeRequest(): IncomingMessage {
  const request = new IncomingMessage(new Socket());
  request._read = () => undefined;
  return request;
}

const collect = (body: RequestBody): string[] => {
  const chunks: string[] = [];
  body.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
  return chunks;
};

const closing = (body: RequestBody): Promise<unknown> =>
  new Promise((resolve) => body.once('close', resolve));

const never = (): void => {
  throw new Error('too long');
};

describe('a request’s body on loan', () => {
  it('is the request’s, from its beginning to its end', async () => {
    const request = makeRequest();
    request.push('before anybody reads, ');
    const body = new RequestBody(request, null, never);
    const chunks = collect(body);
    request.push('after');
    request.push(null);
    await once(body, 'end');
    expect(chunks.join('')).toBe('before anybody reads, after');
  });

  it('asks the client for nothing before somebody reads', async () => {
    const request = makeRequest();
    const body = new RequestBody(request, null, never);
    request.push('early');
    await setImmediate();
    expect([request.readableFlowing, request.readableLength, body.awaitsClient]).toEqual([null, 5, false]);
  });

  it('stops the client when nobody reads on, and then it is not the client’s turn', async () => {
    const request = makeRequest();
    const body = new RequestBody(request, null, never);
    body.read(0);
    await setImmediate();
    expect(body.awaitsClient).toBe(true);
    request.push(Buffer.alloc(body.readableHighWaterMark));
    await setImmediate();
    expect([request.isPaused(), body.awaitsClient]).toEqual([true, false]);
    body.resume();
    await setImmediate();
    expect([request.isPaused(), body.awaitsClient]).toEqual([false, true]);
  });

  it('leaves the request as it is when it is destroyed', async () => {
    const request = makeRequest();
    const body = new RequestBody(request, null, never);
    collect(body);
    await setImmediate();
    const closed = closing(body);
    body.destroy(new Error('the upstream is gone'));
    await closed;
    expect([request.destroyed, request.listenerCount('data'), request.listenerCount('error')]).toEqual([
      false,
      0,
      0,
    ]);
    // What still comes can be thrown away.
    request.resume();
    request.push('the rest');
    await setImmediate();
    expect(request.readableLength).toBe(0);
  });

  it('fails as the request fails, and nothing is thrown where nobody listens', async () => {
    const request = makeRequest();
    const body = new RequestBody(request, null, never);
    body.read(0);
    const failed = closing(body);
    const error = new Error('aborted');
    request.destroy(error);
    await failed;
    expect(body.errored).toBe(error);
  });

  it.each([
    ['exactly as long as allowed', ['four', 'byte'], 8, ['four', 'byte'], 0],
    ['one byte longer', ['four', 'bytes'], 8, ['four'], 1],
    ['longer at once', ['far too long'], 8, [], 1],
    ['longer, and it goes on', ['four', 'bytes', 'more', 'more'], 8, ['four'], 1],
  ])('%s: no byte beyond the limit is handed on', async (_what, sent, limit, received, told) => {
    const request = makeRequest();
    let calls = 0;
    const body = new RequestBody(request, limit, () => {
      calls += 1;
    });
    const chunks = collect(body);
    for (const chunk of sent) {
      request.push(chunk);
      await setImmediate();
    }
    expect([chunks, calls]).toEqual([received, told]);
  });
});
