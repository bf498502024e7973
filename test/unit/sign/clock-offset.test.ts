import { describe, expect, it } from 'vitest';
import { createClockOffsets } from '../../../src/sign/clock-offset.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

const HOUR = 3_600_000;

function setUp() {
  const clock = createFakeClock();
  const offsets = createClockOffsets(clock);
  const date = (offset: number): string => new Date(clock.now() + offset).toUTCString();
  return { clock, offsets, date };
}

describe("an upstream's clock", () => {
  it('is ours until it says otherwise', () => {
    const { clock, offsets } = setUp();
    expect(offsets.now('a')).toBe(clock.now());
  });

  it.each([403, 400])('is learnt from a refusal with %i, for that upstream alone', (status) => {
    const { clock, offsets, date } = setUp();
    expect(offsets.learn('a', status, date(2 * HOUR))).toBe(true);
    expect(offsets.now('a')).toBe(clock.now() + 2 * HOUR);
    expect(offsets.now('b')).toBe(clock.now());
    // Once known it is no news, so that a request is sent again once.
    expect(offsets.learn('a', status, date(2 * HOUR))).toBe(false);
    expect(offsets.learn('a', status, date(0))).toBe(true);
    expect(offsets.now('a')).toBe(clock.now());
  });

  it.each([
    ['a success', 200, 2 * HOUR],
    ['another failure', 500, 2 * HOUR],
    ['a difference that no service minds', 403, 240_000],
    ['a time that is made up', 403, 25 * HOUR],
  ])('is not learnt from %s', (_name, status, offset) => {
    const { clock, offsets, date } = setUp();
    expect(offsets.learn('a', status, date(offset))).toBe(false);
    expect(offsets.now('a')).toBe(clock.now());
  });

  it.each([undefined, '', 'yesterday'])('is not learnt from Date: %s', (text) => {
    const { clock, offsets } = setUp();
    expect(offsets.learn('a', 403, text)).toBe(false);
    expect(offsets.now('a')).toBe(clock.now());
  });
});
