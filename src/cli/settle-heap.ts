import { setFlagsFromString } from 'node:v8';
import { exposeCollector } from '../core/collector.ts';

/**
 * Sizes V8's heap by what the program does, not by how it began: loading makes much garbage, once, and what is taken for it is
 * never given back (docs/performance.md, memory). `bin.js` keeps the young generation small until then; it may grow from here on.
 * The old one is collected when it is half as large again as what was alive in it, where V8 by itself waits for four times as much.
 */
export function settleHeap(): void {
  setFlagsFromString('--semi-space-growth-factor=2');
  setFlagsFromString('--heap-growing-percent=50');
  exposeCollector()({ type: 'major' });
}
