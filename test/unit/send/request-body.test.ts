import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { RequestBody } from '../../../src/send/request-body.ts';
import { BodyWitness } from '../../support/body-doubles.ts';

/** A request whose body a test pushes. */
function makeRequest(): IncomingMessage {
  const request = new IncomingMessage(new Socket());
  request._read = () => undefined;
  return request;
}

const never = (): void => {
  throw new Error('too long');
};

describe('a request’s body on loan', () => {
  it('is the request’s, from its beginning to its end', async () => {
    const request = makeRequest();
    request.push('before anybody reads');
    const sink = new BodyWitness();
    new RequestBody(request, null, never).flow(sink);
    await setImmediate();
    request.push('after');
    request.push(null);
    await setImmediate();
    expect(sink.told).toEqual(['before anybody reads', 'after', '(end)']);
  });

  it('hands on what is at hand before what is asked for next', async () => {
    const request = makeRequest();
    const sink = new BodyWitness();
    new RequestBody(request, null, never).flow(sink);
    request.push('at hand');
    process.nextTick(() => sink.told.push('(next)'));
    expect(sink.told).toEqual([]);
    await setImmediate();
    expect(sink.told).toEqual(['at hand', '(next)']);
  });

  it('asks the client for nothing before somebody reads', async () => {
    const request = makeRequest();
    const body = new RequestBody(request, null, never);
    request.push('early');
    await setImmediate();
    expect([request.readableFlowing, request.readableLength, body.awaitsClient]).toEqual([null, 5, false]);
  });

  it('stops the client when it is paused, and then it is not the client’s turn', async () => {
    const request = makeRequest();
    const body = new RequestBody(request, null, never);
    const sink = new BodyWitness();
    body.flow(sink);
    await setImmediate();
    expect(body.awaitsClient).toBe(true);
    body.pause();
    request.push('meanwhile');
    await setImmediate();
    expect([request.isPaused(), body.awaitsClient, sink.told]).toEqual([true, false, []]);
    body.resume();
    await setImmediate();
    expect([request.isPaused(), body.awaitsClient, sink.told]).toEqual([false, true, ['meanwhile']]);
  });

  it('leaves the request as it is when it is released', async () => {
    const request = makeRequest();
    const body = new RequestBody(request, null, never);
    const sink = new BodyWitness();
    body.flow(sink);
    await setImmediate();
    body.release();
    body.release();
    const listeners = ['data', 'end', 'error'].map((event) => request.listenerCount(event));
    expect([request.destroyed, ...listeners]).toEqual([false, 0, 0, 0]);
    // What still comes can be thrown away.
    request.resume();
    request.push('the rest');
    await setImmediate();
    expect([request.readableLength, sink.told]).toEqual([0, []]);
  });

  it('fails as the request fails', async () => {
    const request = makeRequest();
    const sink = new BodyWitness();
    new RequestBody(request, null, never).flow(sink);
    const error = new Error('aborted');
    request.destroy(error);
    await setImmediate();
    expect(sink.told).toEqual([error]);
  });

  it.each([
    ['exactly as long as allowed', ['four', 'byte'], 8, ['four', 'byte'], 0],
    ['one byte longer', ['four', 'bytes'], 8, ['four'], 1],
    ['longer at once', ['far too long'], 8, [], 1],
    ['longer, and it goes on', ['four', 'bytes', 'more', 'more'], 8, ['four'], 1],
    ['longer, and ends', ['four', 'bytes', null], 8, ['four'], 1],
  ])('%s: no byte beyond the limit is handed on', async (_what, sent, limit, received, told) => {
    const request = makeRequest();
    const sink = new BodyWitness();
    let calls = 0;
    const body = new RequestBody(request, limit, () => {
      calls += 1;
    });
    body.flow(sink);
    for (const chunk of sent) {
      request.push(chunk);
      await setImmediate();
    }
    expect([sink.told, calls]).toEqual([received, told]);
  });
});
