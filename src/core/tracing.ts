import type { Stage } from './exchange.ts';

/** Records what becomes of requests, for whoever collects traces. What goes wrong here never touches a request. */
export interface Tracing {
  /** The same stages, watched. */
  watch(stages: readonly Stage[]): Stage[];
  /** Sends what is recorded and not sent yet; resolves when that is done, or given up. */
  stop(): Promise<void>;
}
