import { describe, expect, it } from 'vitest';
import { configSchema } from '../../../src/config/schema/config.ts';
import type { Exchange } from '../../../src/core/exchange.ts';
import { type Admission, createAdmission } from '../../../src/send/admission.ts';
import { Forwarding } from '../../../src/send/forwarding.ts';
import { readAnswerHead } from '../../../src/send/http/answer-head.ts';
import { exchange } from '../../support/exchange.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { route } from '../../support/routes.ts';

const { upstreams } = configSchema.parse({
  upstreams: { board: { url: 'http://board.test', limits: { requests: 1, queue: 0 } } },
  routes: [{ id: 'r', match: { path: '/' }, allow: 'public', upstream: 'board' }],
});

/** A request that has a place at its upstream, and whose client never takes what it is sent. */
function forward(): { admission: Admission; made: Exchange; forwarding: Forwarding } {
  const clock = createFakeClock();
  const admission = createAdmission(upstreams, clock, 1);
  const made = exchange({}, route());
  const { upstream } = made.route ?? {};
  if (upstream === undefined) throw new Error('no upstream');
  const [target] = upstream.targets;
  if (target === undefined) throw new Error('no target');
  made.outbound = {
    upstream,
    target,
    method: 'GET',
    path: '/',
    pathAndQuery: '/',
    headers: [],
    body: null,
    contentLength: 0,
    transform: null,
  };
  expect(admission.enter('board', made)).toBeUndefined();
  const forwarding = new Forwarding(made, {
    admission,
    balancer: { choose: () => target, succeeded: () => undefined, failed: () => undefined },
    clock,
    clientBodyIdle: 30_000,
    noticeAnswer: () => false,
    bytesPassed: () => undefined,
  });
  return { admission, made, forwarding };
}

const counts = (admission: Admission): unknown => admission.counts().get('board');

describe("a request's place at its upstream", () => {
  it('is free when the upstream is done with it, though its client has read nothing', () => {
    const { admission, made, forwarding } = forward();
    forwarding.answered(readAnswerHead('HTTP/1.1 200 OK\r\nContent-Length: 2'), null);
    forwarding.received(Buffer.from('ok'));
    expect(counts(admission)).toEqual({ underWay: 1, waiting: 0 });
    forwarding.ended([]);
    expect(made.response.writableFinished).toBe(false);
    expect(counts(admission)).toEqual({ underWay: 0, waiting: 0 });
  });

  it('is free when the upstream has failed', () => {
    const { admission, forwarding } = forward();
    forwarding.failed(new Error('gone'));
    expect(counts(admission)).toEqual({ underWay: 0, waiting: 0 });
  });

  it('is free when the client is gone', () => {
    const { admission, made } = forward();
    made.response.emit('close');
    expect(counts(admission)).toEqual({ underWay: 0, waiting: 0 });
  });
});
