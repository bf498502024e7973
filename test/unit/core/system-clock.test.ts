import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../src/core/system-clock.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('systemClock', () => {
  it('tells both times', () => {
    vi.setSystemTime(1_234);
    expect(systemClock.now()).toBe(1_234);
    const before = systemClock.monotonic();
    vi.advanceTimersByTime(10);
    expect(systemClock.monotonic() - before).toBe(10);
  });

  it('runs once, after the time given', () => {
    const run = vi.fn();
    systemClock.after(10, run);
    vi.advanceTimersByTime(9);
    expect(run).not.toHaveBeenCalled();
    vi.advanceTimersByTime(100);
    expect(run).toHaveBeenCalledTimes(1);
  });

  it('cancels, and starts the wait again', () => {
    const run = vi.fn();
    systemClock.after(10, run).cancel();
    const restarted = systemClock.after(10, run);
    vi.advanceTimersByTime(9);
    restarted.restart();
    vi.advanceTimersByTime(9);
    expect(run).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(run).toHaveBeenCalledTimes(1);
  });

  it('does not start again what has run or was cancelled', () => {
    const run = vi.fn();
    const over = systemClock.after(10, run);
    const cancelled = systemClock.after(10, run);
    cancelled.cancel();
    vi.advanceTimersByTime(10);
    over.restart();
    cancelled.restart();
    vi.advanceTimersByTime(100);
    expect(run).toHaveBeenCalledTimes(1);
  });

  // Node cuts a wait beyond 2^31 - 1 milliseconds to one millisecond.
  it.each([Number.POSITIVE_INFINITY, 2 ** 31, 1e15])('waits long when asked to wait %d ms', (wait) => {
    const run = vi.fn();
    const timer = systemClock.after(wait, run);
    vi.advanceTimersByTime(1_000_000);
    expect(run).not.toHaveBeenCalled();
    timer.cancel();
  });
});
