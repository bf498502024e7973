import { describe, expect, it } from 'vitest';
import { configSchema } from '../../../src/config/schema/config.ts';
import { createAdmission } from '../../../src/send/admission.ts';
import { exchange } from '../../support/exchange.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

const upstreamsWith = (limits: object) =>
  configSchema.parse({
    upstreams: { board: { url: 'http://board.test', limits } },
    routes: [{ id: 'r', match: { path: '/' }, allow: 'public', upstream: 'board' }],
  }).upstreams;

/** How many of ten requests go at once, wait, and are refused. */
function split(limits: object, workers: number): [number, number, number] {
  const admission = createAdmission(upstreamsWith(limits), createFakeClock(), workers);
  const entered = Array.from({ length: 10 }, () => admission.enter('board', exchange({})));
  const at = entered.filter((verdict) => verdict === undefined).length;
  const waiting = entered.filter((verdict) => verdict instanceof Promise).length;
  return [at, waiting, 10 - at - waiting];
}

describe('admission to an upstream', () => {
  it.each<[object, number, [number, number, number]]>([
    [{ requests: null }, 1, [10, 0, 0]],
    [{ requests: 3, queue: 2 }, 1, [3, 2, 5]],
    [{ requests: 3, queue: 0 }, 1, [3, 0, 7]],
    [{ requests: 10, queue: 0 }, 1, [10, 0, 0]],
    // Each of several workers has its part, rounded up.
    [{ requests: 4, queue: 2 }, 2, [2, 1, 7]],
    [{ requests: 3, queue: 3 }, 2, [2, 2, 6]],
    [{ requests: 1, queue: 0 }, 4, [1, 0, 9]],
  ])('%o, shared by %i workers: %o go, wait, are refused', (limits, workers, expected) => {
    expect(split(limits, workers)).toEqual(expected);
  });

  it('is not asked for by upstreams that are not there any more', () => {
    const admission = createAdmission(upstreamsWith({ requests: 1 }), createFakeClock(), 1);
    const under = exchange({});
    expect(admission.enter('board', under)).toBeUndefined();
    admission.configure({});
    expect(admission.enter('board', exchange({}))).toBeUndefined();
    expect([...admission.counts().keys()]).toEqual(['board']);
    admission.leave('board', under);
    expect([...admission.counts().keys()]).toEqual([]);
    admission.leave('board', under);
  });
});
