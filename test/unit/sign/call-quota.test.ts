import { describe, expect, it } from 'vitest';
import { fault } from '../../../src/core/refusal.ts';
import { createCallQuota } from '../../../src/sign/call-quota.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

const settled = (promise: Promise<unknown>): Promise<boolean> =>
  Promise.race([promise.then(() => true), new Promise<boolean>((resolve) => setImmediate(resolve, false))]);

describe('calls to a service', () => {
  it.each([1, 5, 20, 2.5, 0.5])('are never more than %d in a second', async (rate) => {
    const clock = createFakeClock();
    const quota = createCallQuota(rate, clock);
    const starts: number[] = [];
    const want = (): void => {
      void quota.turn().then((why) => {
        if (why === null) starts.push(clock.monotonic());
      });
    };
    for (let millisecond = 0; millisecond < 10_000; millisecond++) {
      if (millisecond % 25 === 0) want();
      await Promise.resolve();
      clock.advance(1);
    }
    const allowed = Math.max(1, Math.floor(rate));
    const span = (allowed / rate) * 1000;
    for (let i = allowed; i < starts.length; i++) {
      expect((starts[i] ?? 0) - (starts[i - allowed] ?? 0)).toBeGreaterThanOrEqual(span - 0.001);
    }
    // Ten seconds, and nothing of what is allowed is lost.
    expect(starts.length).toBeGreaterThanOrEqual(Math.floor(rate * 9));
  });

  it('wait briefly for their turn, in order', async () => {
    const clock = createFakeClock();
    const quota = createCallQuota(1, clock);
    expect(await quota.turn()).toBeNull();
    const second = quota.turn();
    const third = quota.turn();
    clock.advance(999);
    expect(await settled(second)).toBe(false);
    clock.advance(1);
    expect(await second).toBeNull();
    expect(await settled(third)).toBe(false);
    clock.advance(1000);
    expect(await third).toBeNull();
  });

  it('are refused at once when the wait would be long', async () => {
    const clock = createFakeClock();
    const quota = createCallQuota(1, clock);
    void quota.turn();
    void quota.turn();
    void quota.turn();
    const why = await quota.turn();
    expect(why?.code).toBe('SIGN_CREDENTIALS_THROTTLED');
    expect(why?.cause).toMatchObject({ message: 'callsPerSecond is used up' });
    clock.advance(3000);
    expect(await quota.turn()).toBeNull();
  });

  it('stop for a while, longer each time, when the service asks for less', async () => {
    const clock = createFakeClock();
    const quota = createCallQuota(1000, clock);
    const why = fault('SIGN_CREDENTIALS_UNAVAILABLE', new Error('down'));
    for (const pause of [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
      quota.backOff(why);
      clock.advance(pause - 1);
      expect(await quota.turn()).toBe(why);
      clock.advance(1);
      expect(await quota.turn()).toBeNull();
    }
    quota.recovered();
    quota.backOff(why);
    clock.advance(1000);
    expect(await quota.turn()).toBeNull();
  });

  it('that fail together pause it once', async () => {
    const clock = createFakeClock();
    const quota = createCallQuota(1000, clock);
    const why = fault('SIGN_CREDENTIALS_UNAVAILABLE');
    quota.backOff(why);
    quota.backOff(why);
    clock.advance(1000);
    expect(await quota.turn()).toBeNull();
  });

  it('that wait are refused too when the service asks for less meanwhile', async () => {
    const clock = createFakeClock();
    const quota = createCallQuota(1, clock);
    void quota.turn();
    const waiting = quota.turn();
    clock.advance(500);
    const why = fault('SIGN_CREDENTIALS_THROTTLED');
    quota.backOff(why);
    clock.advance(500);
    expect(await waiting).toBe(why);
  });

  it('do not outlive the end', async () => {
    const clock = createFakeClock();
    const quota = createCallQuota(1, clock);
    void quota.turn();
    const waiting = quota.turn();
    quota.stop();
    expect((await waiting)?.code).toBe('SIGN_CREDENTIALS_THROTTLED');
  });
});
