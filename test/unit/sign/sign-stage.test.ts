import { describe, expect, it } from 'vitest';
import { HANDED_OVER, outboundOf } from '../../../src/core/exchange.ts';
import type { Refusal } from '../../../src/core/refusal.ts';
import type { SigningPlan } from '../../../src/core/signing.ts';
import { createClockOffsets } from '../../../src/sign/clock-offset.ts';
import { type Credentials, credentials } from '../../../src/sign/credentials.ts';
import { createBodyHolder } from '../../../src/sign/hold-body.ts';
import { createSignStage } from '../../../src/sign/sign-stage.ts';
import { exchange } from '../../support/exchange.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { route } from '../../support/routes.ts';

const PLAN: SigningPlan = {
  service: 'execute-api',
  region: 'us-east-1',
  s3: false,
  payload: 'hash',
  source: { kind: 'own', name: 'own/board' },
  roles: [],
  roleArn: null,
};

const KEY = credentials('AKIDEXAMPLE', 'secret', null, Number.POSITIVE_INFINITY);

/** A request with a body, and a stage whose credentials come when the test says. */
function setUp() {
  const clock = createFakeClock();
  const coming = Promise.withResolvers<Credentials | Refusal>();
  const holder = createBodyHolder({ clock, bufferBytes: 100, bufferTotalBytes: 100, idle: 1_000 });
  const stage = createSignStage({
    sourceOf: () => ({ get: () => coming.promise }),
    matches: () => true,
    holder,
    offsets: createClockOffsets(clock),
  });
  const plain = route();
  const upstream = { ...plain.upstream, sign: PLAN };
  const made = exchange({ method: 'POST', contentLength: 4 }, { ...plain, upstream });
  made.outbound = {
    upstream,
    target: upstream.targets[0] as (typeof upstream.targets)[number],
    method: 'POST',
    path: '/',
    pathAndQuery: '/',
    headers: ['host', 'board.test'],
    body: made.request,
    transform: null,
    contentLength: 4,
  };
  return { made, stage, holder, coming };
}

describe('a request to be signed whose credentials are to be fetched', () => {
  it('has its body held once they are there', async () => {
    const { made, stage, holder, coming } = setUp();
    const verdict = stage.run(made);
    expect(holder.held).toBe(0);
    coming.resolve(KEY);
    made.request.push('body');
    made.request.push(null);
    expect(await verdict).toBeUndefined();
    expect([holder.held, outboundOf(made).body]).toEqual([4, Buffer.from('body')]);
    expect(outboundOf(made).headers).toContain('authorization');
  });

  it('takes no room where the client has left meanwhile', async () => {
    const { made, stage, holder, coming } = setUp();
    const verdict = stage.run(made);
    made.settled = true;
    coming.resolve(KEY);
    made.request.push('body');
    made.request.push(null);
    // Nothing goes on from here, least of all what is not signed.
    expect(await verdict).toBe(HANDED_OVER);
    expect([holder.held, outboundOf(made).body, outboundOf(made).headers]).toEqual([
      0,
      made.request,
      ['host', 'board.test'],
    ]);
  });
});
