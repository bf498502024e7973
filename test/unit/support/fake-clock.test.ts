import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../../support/fake-clock.ts';

describe('createFakeClock', () => {
  it('stands still until it is moved', () => {
    const clock = createFakeClock(1_000);
    expect(clock.now()).toBe(1_000);
    const before = clock.monotonic();
    clock.advance(250);
    expect(clock.now()).toBe(1_250);
    expect(clock.monotonic() - before).toBe(250);
  });

  it('runs what falls due in order, each at its own time', () => {
    const clock = createFakeClock(0);
    const ran: string[] = [];
    const note = (name: string) => () => void ran.push(`${name} at ${clock.now()}`);
    clock.after(30, note('late'));
    clock.after(10, note('first'));
    clock.after(10, note('second'));
    clock.after(10, () => clock.after(5, note('from inside')));
    clock.advance(20);
    expect(ran).toEqual(['first at 10', 'second at 10', 'from inside at 15']);
    expect(clock.waiting).toEqual([10]);
    clock.advance(10);
    expect(ran.at(-1)).toBe('late at 30');
  });

  it('does not run what was cancelled, and waits anew after a restart', () => {
    const clock = createFakeClock(0);
    const ran: string[] = [];
    const cancelled = clock.after(10, () => void ran.push('cancelled'));
    const restarted = clock.after(10, () => void ran.push(`restarted, at ${clock.now()}`));
    clock.advance(9);
    cancelled.cancel();
    restarted.restart();
    clock.advance(9);
    expect(ran).toEqual([]);
    clock.advance(1);
    expect(ran).toEqual(['restarted, at 19']);
  });

  it('does not start again what is over', () => {
    const clock = createFakeClock(0);
    let runs = 0;
    const run = clock.after(10, () => void runs++);
    const cancelled = clock.after(10, () => void runs++);
    cancelled.cancel();
    clock.advance(10);
    run.restart();
    cancelled.restart();
    clock.advance(100);
    expect(runs).toBe(1);
    expect(clock.waiting).toEqual([]);
  });

  it('steps the wall clock without touching timers', () => {
    const clock = createFakeClock(1_000);
    const before = clock.monotonic();
    clock.after(10, () => undefined);
    clock.stepWall(-600);
    expect(clock.now()).toBe(400);
    expect(clock.monotonic()).toBe(before);
    expect(clock.waiting).toEqual([10]);
  });
});
