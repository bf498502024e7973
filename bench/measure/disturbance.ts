import { readFileSync } from 'node:fs';
import { parseBusyTime, readAccount } from './accounting.ts';

/**
 * Watches what others do with the cores of the bench. Interleaved rounds make up for a machine that drifts, not for one
 * that is busy: a contender that must share its core loses more by it the longer it works in one go.
 *
 * @returns ends the watch: the share of the cores' time that went to others
 */
export function watchDisturbance(cores: readonly number[]): () => number {
  const read = (): { readonly foreign: number; readonly at: number } => ({
    foreign: parseBusyTime(readFileSync('/proc/stat', 'utf8'), cores) - readAccount(process.pid).cpu,
    at: performance.now() * 1000,
  });
  const before = read();
  return () => {
    const after = read();
    const share = (after.foreign - before.foreign) / ((after.at - before.at) * cores.length);
    // Both sides are counted in ticks, so that little may look like less than nothing.
    return Math.max(0, share);
  };
}
