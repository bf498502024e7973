import type { Balancer, Clock, Logger } from '../core/ports.ts';
import type { Target, Upstream } from '../core/upstream.ts';

/** Failures in a row after which a target is set aside. */
const FAILURES_TO_EJECT = 3;

/** Milliseconds for which it is set aside; twice as long each time it fails again, up to the longest. */
const FIRST_EJECTION = 5_000;
const LONGEST_EJECTION = 60_000;

/**
 * Round robin over an upstream's addresses, passing over those that keep failing. When all do, each gets its turn: an
 * answer is still more likely than from nobody.
 */
export function createBalancer(clock: Clock, logger: Logger): Balancer {
  return {
    choose(upstream, failed) {
      const { targets } = upstream;
      const first = upstream.next % targets.length;
      upstream.next = (first + 1) % targets.length;
      const turn = targets[first] as Target;
      if (targets.length === 1 || (turn.ejectedUntil === 0 && turn !== failed)) return turn;
      const now = clock.monotonic();
      for (let i = 0; i < targets.length; i++) {
        const target = targets[(first + i) % targets.length] as Target;
        if (target.ejectedUntil <= now && target !== failed) return target;
      }
      return turn;
    },
    succeeded(target) {
      if (target.failures === 0) return;
      target.failures = 0;
      target.ejectedUntil = 0;
      logger.info({ target: target.origin }, 'upstream address answers again');
    },
    failed(target) {
      const now = clock.monotonic();
      // Requests that were under way when it was set aside fail all together: that is one failure.
      if (target.ejectedUntil > now) return;
      target.failures += 1;
      if (target.failures < FAILURES_TO_EJECT) return;
      const ejection = FIRST_EJECTION * 2 ** (target.failures - FAILURES_TO_EJECT);
      target.ejectedUntil = now + Math.min(ejection, LONGEST_EJECTION);
      logger.warn({ target: target.origin, failures: target.failures }, 'upstream address set aside');
    },
  };
}

/** How many addresses were set aside and have not answered since, of those upstreams that have any. */
export function countFailing(upstreams: ReadonlyMap<string, Upstream>): ReadonlyMap<string, number> {
  const failing = (upstream: Upstream): number =>
    upstream.targets.filter((target) => target.ejectedUntil !== 0).length;
  const counts = [...upstreams].map(([name, upstream]) => [name, failing(upstream)] as const);
  return new Map(counts.filter(([, count]) => count > 0));
}
