import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { beforeEach, describe, expect, it } from 'vitest';
import { ClientWatch } from '../../../src/send/client-watch.ts';
import type { RequestBody } from '../../../src/send/request-body.ts';
import { createFakeClock, type FakeClock } from '../../support/fake-clock.ts';

const IDLE = 1_000;

/** The little of a response that is watched. */
class Response extends EventEmitter {
  socket: object | null = {};
  writableLength = 0;
}

let clock: FakeClock;
let response: Response;
let idled: number;
let resumed: number;
let watch: ClientWatch;
const source = {
  resume() {
    resumed += 1;
  },
};
const bodyOf = (awaitsClient: boolean) => ({ awaitsClient }) as RequestBody;

beforeEach(() => {
  clock = createFakeClock();
  response = new Response();
  idled = 0;
  resumed = 0;
  watch = new ClientWatch(response as unknown as ServerResponse, clock, IDLE, () => {
    idled += 1;
  });
});

describe('a client that is to send', () => {
  it('has its time from the last byte', () => {
    watch.expectBody(bodyOf(true));
    clock.advance(IDLE - 1);
    watch.moved();
    clock.advance(IDLE - 1);
    expect(idled).toBe(0);
    clock.advance(1);
    expect(idled).toBe(1);
  });

  it('has all the time while it is not its turn', () => {
    const body = { awaitsClient: false };
    watch.expectBody(body as RequestBody);
    clock.advance(IDLE * 10);
    expect(idled).toBe(0);
    body.awaitsClient = true;
    clock.advance(IDLE);
    expect(idled).toBe(1);
  });

  it('is not watched any more when it has sent all', () => {
    watch.expectBody(bodyOf(true));
    watch.bodyComplete();
    expect(clock.waiting).toEqual([]);
  });
});

describe('a client that is to take', () => {
  it('lets the answer go on when it has taken it, and is not watched any more', () => {
    response.writableLength = 100;
    watch.expectDrain(source);
    expect(clock.waiting).toEqual([IDLE]);
    response.emit('drain');
    expect([resumed, clock.waiting]).toEqual([1, []]);
    // And again, with one listener for all times.
    watch.expectDrain(source);
    response.emit('drain');
    expect([resumed, response.listenerCount('drain')]).toEqual([2, 1]);
  });

  it('has its time again for every bit that it takes', () => {
    response.writableLength = 100;
    watch.expectDrain(source);
    for (response.writableLength = 99; response.writableLength > 90; response.writableLength--) {
      clock.advance(IDLE);
      expect(idled).toBe(0);
    }
    clock.advance(IDLE);
    expect(idled).toBe(0);
    clock.advance(IDLE);
    expect([idled, resumed]).toEqual([1, 0]);
  });

  it('has all the time while another answer is ahead', () => {
    response.socket = null;
    response.writableLength = 100;
    watch.expectDrain(source);
    clock.advance(IDLE * 10);
    expect(idled).toBe(0);
    response.socket = {};
    clock.advance(IDLE);
    expect(idled).toBe(1);
  });
});

describe('a client that is to do both', () => {
  it('is watched until it has done both', () => {
    response.writableLength = 100;
    watch.expectBody(bodyOf(true));
    watch.expectDrain(source);
    response.emit('drain');
    expect([resumed, clock.waiting]).toEqual([1, [IDLE]]);
    watch.bodyComplete();
    expect(clock.waiting).toEqual([]);
  });

  it('is left alone after the end', () => {
    response.writableLength = 100;
    watch.expectBody(bodyOf(true));
    watch.expectDrain(source);
    watch.stop();
    watch.moved();
    clock.advance(IDLE * 10);
    expect(idled).toBe(0);
  });
});
