import { setFlagsFromString } from 'node:v8';

/**
 * Lets V8's young generation grow with what the program does. `bin.js` keeps it small until then: loading makes much garbage, once,
 * and space that was taken for it is never given back (docs/performance.md, memory).
 */
export function letYoungGenerationGrow(): void {
  setFlagsFromString('--semi-space-growth-factor=2');
}
