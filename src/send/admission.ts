import type { Config } from '../config/schema/config.ts';
import type { Exchange } from '../core/exchange.ts';
import type { Clock } from '../core/ports.ts';
import { fault, type Refusal } from '../core/refusal.ts';

/** Lets each upstream have so many requests at once; some more wait for their turn, in order, and not for long. */
export interface Admission {
  /** Undefined: it may go. A promise where it has to wait for that; kept in any case. */
  enter(upstream: string, exchange: Exchange): undefined | Refusal | Promise<Refusal | undefined>;
  /** It is done with the upstream: the next one's turn. Of no effect the second time. */
  leave(upstream: string, exchange: Exchange): void;
  /** Takes over the limits of another configuration; what is under way stays so. */
  configure(upstreams: Config['upstreams']): void;
  /** Of each upstream that has a limit. */
  counts(): ReadonlyMap<string, AdmissionCounts>;
}

export interface AdmissionCounts {
  readonly underWay: number;
  readonly waiting: number;
}

interface Gate {
  /** Null: no limit any more; it is gone when the last one has left. */
  limits: Limits | null;
  readonly inside: Set<Exchange>;
  /** In the order in which they came. */
  readonly waiting: Set<Waiting>;
}

interface Limits {
  readonly requests: number;
  readonly queue: number;
  /** Milliseconds. */
  readonly wait: number;
}

interface Waiting {
  readonly exchange: Exchange;
  finish(refusal: Refusal | undefined): void;
}

/** @param workers processes that share the limits */
export function createAdmission(initial: Config['upstreams'], clock: Clock, workers: number): Admission {
  const gates = new Map<string, Gate>();

  const admit = (upstream: string, gate: Gate, exchange: Exchange): void => {
    gate.inside.add(exchange);
    // Whatever becomes of it, a request whose client is gone is done with.
    exchange.response.once('close', () => leave(upstream, exchange));
  };

  const leave = (upstream: string, exchange: Exchange): void => {
    const gate = gates.get(upstream);
    if (gate?.inside.delete(exchange)) fill(upstream, gate);
  };

  /** Lets in whoever has waited for the places that are free. */
  const fill = (upstream: string, gate: Gate): void => {
    for (const next of gate.waiting) {
      if (isFull(gate)) return;
      admit(upstream, gate, next.exchange);
      next.finish(undefined);
    }
    if (gate.limits === null && gate.inside.size === 0) gates.delete(upstream);
  };

  const queue = (gate: Gate, limits: Limits, exchange: Exchange): Promise<Refusal | undefined> =>
    new Promise((resolve) => {
      const finish = (refusal: Refusal | undefined): void => {
        timer.cancel();
        exchange.response.removeListener('close', giveUp);
        gate.waiting.delete(waiting);
        resolve(refusal);
      };
      const giveUp = (): void => finish(fault('LIMIT_UPSTREAM', new Error('waited for a turn in vain')));
      const waiting: Waiting = { exchange, finish };
      const timer = clock.after(limits.wait, giveUp);
      exchange.response.once('close', giveUp);
      gate.waiting.add(waiting);
    });

  const configure = (upstreams: Config['upstreams']): void => {
    for (const name of new Set([...gates.keys(), ...Object.keys(upstreams)])) {
      const limits = limitsOf(upstreams[name], workers);
      const gate = gates.get(name) ?? { limits, inside: new Set(), waiting: new Set() };
      if (limits !== null) gates.set(name, gate);
      gate.limits = limits;
      fill(name, gate);
    }
  };

  configure(initial);
  return {
    enter(upstream, exchange) {
      const gate = gates.get(upstream);
      if (gate === undefined || gate.limits === null) return undefined;
      if (!isFull(gate)) {
        admit(upstream, gate, exchange);
        return undefined;
      }
      if (gate.waiting.size < gate.limits.queue) return queue(gate, gate.limits, exchange);
      return fault('LIMIT_UPSTREAM', new Error('no place, and no place to wait'));
    },
    leave,
    configure,
    counts() {
      const counts = new Map<string, AdmissionCounts>();
      for (const [name, { inside, waiting }] of gates) {
        counts.set(name, { underWay: inside.size, waiting: waiting.size });
      }
      return counts;
    },
  };
}

function isFull({ limits, inside }: Gate): boolean {
  return limits !== null && inside.size >= limits.requests;
}

/** This process' part of the limits, rounded up. */
function limitsOf(upstream: Config['upstreams'][string] | undefined, workers: number): Limits | null {
  if (upstream === undefined || upstream.limits.requests === null) return null;
  const { requests, queue, wait } = upstream.limits;
  return { requests: Math.ceil(requests / workers), queue: Math.ceil(queue / workers), wait };
}
