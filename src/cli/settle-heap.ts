import { setFlagsFromString } from 'node:v8';
import { exposeCollector } from '../core/collector.ts';

/**
 * Sizes V8's heap by what the program does, not by how it began: loading makes much garbage, once, and what is taken for it is
 * never given back (docs/performance.md, findings). `bin.js` keeps the young generation small until then; it may grow from here on,
 * and when the old one is collected next goes by what is alive in it now.
 */
export function settleHeap(): void {
  setFlagsFromString('--semi-space-growth-factor=2');
  exposeCollector()({ type: 'major' });
}
