import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import { describe, expect, it } from 'vitest';
import { createBufferCollector } from '../../../src/send/collect-buffers.ts';

const MIB = 1024 * 1024;

describe('the collector of buffers', () => {
  it.each([
    ['less than the interval', [8 * MIB - 1], 0],
    ['the interval, in one go', [8 * MIB], 1],
    ['the interval, bit by bit', [4 * MIB, 4 * MIB - 1, 1], 1],
    ['much at once', [100 * MIB], 1],
    ['two intervals', [8 * MIB, 8 * MIB], 2],
    ['small answers', Array<number>(32_768).fill(256), 1],
  ])('collects after %s', (_what, passing, times) => {
    const asked: object[] = [];
    const passed = createBufferCollector((options) => void asked.push(options));
    for (const bytes of passing) passed(bytes);
    expect(asked).toEqual(Array(times).fill({ type: 'minor' }));
  });

  it('has V8 collect its young generation, and nothing more', async () => {
    const kind = await new Promise<number>((resolve) => {
      const observer = new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) {
          const { kind, flags } = (entry as PerformanceEntry & { detail: { kind: number; flags: number } })
            .detail;
          if ((flags & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) === 0) continue;
          observer.disconnect();
          resolve(kind);
        }
      });
      observer.observe({ entryTypes: ['gc'] });
      createBufferCollector()(8 * MIB);
    });
    expect(kind).toBe(constants.NODE_PERFORMANCE_GC_MINOR);
  });

  it('leaves the global scope as it was', () => {
    createBufferCollector();
    expect('gc' in globalThis).toBe(false);
  });
});
