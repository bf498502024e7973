import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createWaitingRoom } from '../../../src/listen/waiting-room.ts';

/** What one of these requests is counted for. */
const SIZE = 2_048 + '/'.length + 'Host'.length + 'x'.length;

function requestOn(socket: Socket): IncomingMessage {
  const request = new IncomingMessage(socket);
  request.url = '/';
  request.rawHeaders = ['Host', 'x'];
  return request;
}

describe('createWaitingRoom', () => {
  it('has room up to its capacity, over all connections', () => {
    const room = createWaitingRoom(3 * SIZE);
    const [one, other] = [new Socket(), new Socket()];
    expect([room.enter(requestOn(one)), room.enter(requestOn(other)), room.enter(requestOn(one))]).toEqual([
      true,
      true,
      true,
    ]);
    expect(room.enter(requestOn(other))).toBe(false);
  });

  it('counts what headers take', () => {
    const room = createWaitingRoom(3 * SIZE);
    const request = requestOn(new Socket());
    request.rawHeaders.push('X-A', 'a'.repeat(3 * SIZE));
    expect(room.enter(request)).toBe(false);
  });

  it('has room again when a request leaves', () => {
    const room = createWaitingRoom(SIZE);
    const first = requestOn(new Socket());
    room.enter(first);
    expect(room.enter(requestOn(new Socket()))).toBe(false);
    room.leave(first);
    expect(room.enter(requestOn(new Socket()))).toBe(true);
  });

  it('has room again when a connection closes, and only for what still waited on it', async () => {
    const room = createWaitingRoom(3 * SIZE);
    const socket = new Socket();
    const [begun, waiting] = [requestOn(socket), requestOn(socket)];
    room.enter(begun);
    room.enter(waiting);
    room.leave(begun);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.destroy();
    await closed;
    room.leave(waiting);
    const others = Array.from({ length: 4 }, () => room.enter(requestOn(new Socket())));
    expect(others).toEqual([true, true, true, false]);
  });

  it('does not listen to one connection over and over', () => {
    const room = createWaitingRoom(100 * SIZE);
    const socket = new Socket();
    for (let i = 0; i < 50; i++) {
      const request = requestOn(socket);
      room.enter(request);
      room.leave(request);
    }
    expect(socket.listenerCount('close')).toBe(1);
  });
});
