import { setFlagsFromString } from 'node:v8';

/**
 * Sets V8's young generation up for serving: requests come and go, and next to nothing outlives one.
 *
 * It grows with what the program does, and at once: V8 makes it small when there is nothing to do, and would double it every now and then
 * when there is. `bin.js` keeps it small until then: loading makes much garbage, once, and space that was taken for it is never given
 * back.
 *
 * Nothing is allocated as old from the start. V8 does that where much of what a piece of code makes has survived collections, as it
 * does in the first second, while the young generation is small; it would go on doing so, and each of these objects, though dead with its
 * request, would keep all it points to alive until old garbage is collected (docs/performance.md, finding 18).
 */
export function tuneYoungGeneration(): void {
  setFlagsFromString('--semi-space-growth-factor=16');
  setFlagsFromString('--no-allocation-site-pretenuring');
}
