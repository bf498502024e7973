import type { Clock } from '../core/ports.ts';

/** Milliseconds of difference that a service forgives, and that one answer's way takes. */
const TOLERATED = 240_000;

/** Milliseconds beyond which a clock is not wrong but made up. */
const BELIEVED = 86_400_000;

/** How far the clocks of upstreams are from ours. */
export interface ClockOffsets {
  /** Wall clock of an upstream, in milliseconds since the epoch. */
  now(upstream: string): number;
  /**
   * Learns from an answer that may be a refusal for the time of the signature: `RequestTimeTooSkewed` of S3,
   * `InvalidSignatureException` and their like of others all come as 400 or 403, with the service's `Date`.
   * @returns whether the offset changed, so that the same request signed again may succeed
   */
  learn(upstream: string, status: number, date: string | undefined): boolean;
}

export function createClockOffsets(clock: Clock): ClockOffsets {
  const offsets = new Map<string, number>();
  const now = (upstream: string): number => clock.now() + (offsets.get(upstream) ?? 0);
  return {
    now,
    learn(upstream, status, date) {
      if (status !== 403 && status !== 400) return false;
      const time = Date.parse(date ?? '');
      if (Number.isNaN(time) || Math.abs(time - now(upstream)) <= TOLERATED) return false;
      const offset = time - clock.now();
      if (Math.abs(offset) > BELIEVED) return false;
      offsets.set(upstream, offset);
      return true;
    },
  };
}
