import type { Config } from '../../config/schema/config.ts';
import type { Minute, Recent } from './history.ts';
import type { Reading } from './reading.ts';

/** Where the service is in its life. */
export type Phase = 'starting' | 'ready' | 'stopping';

/** All that a status is made of. */
export interface View {
  readonly config: Config;
  readonly phase: Phase;
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** Counted since the start; gauges as they are. */
  readonly now: Reading;
  readonly recent: Recent;
  readonly minutes: readonly Readonly<Minute>[];
  /** Milliseconds by which timers of this process are late, time after time. */
  readonly lateness: number;
}
