import type { RateQuestion, Tally } from '../core/rate-limit.ts';
import type { RateStore } from './rate-store.ts';

/** Has the primary of a group of workers count, for all of them. */
export interface PrimaryStore extends RateStore {
  /** The primary has answered. */
  answered(id: number, tallies: readonly Tally[]): void;
}

/** Milliseconds for an answer: the primary may be at work on a scrape. */
const TIMEOUT = 1_000;

/** Questions without an answer, at most: a primary that is stuck must not cost the workers their memory. */
const MOST_OPEN = 10_000;

interface Asked {
  readonly question: RateQuestion;
  readonly resolve: (tally: Tally) => void;
}

/** @param ask sends questions to the primary, which answers them all at once */
export function createPrimaryStore(
  ask: (id: number, questions: readonly RateQuestion[]) => void,
): PrimaryStore {
  const sent = new Map<number, readonly Asked[]>();
  let batch: Asked[] = [];
  let batches = 0;
  let open = 0;

  const send = (): void => {
    const asked = batch;
    const id = batches++;
    batch = [];
    sent.set(id, asked);
    ask(
      id,
      asked.map(({ question }) => question),
    );
  };

  return {
    take(question) {
      if (open >= MOST_OPEN) return Promise.reject(new Error('the primary does not answer'));
      open += 1;
      // Whatever comes in one turn of the event loop goes out in one message.
      if (batch.length === 0) setImmediate(send);
      return new Promise((resolve) => void batch.push({ question, resolve }));
    },
    answered(id, tallies) {
      const asked = sent.get(id) ?? [];
      sent.delete(id);
      open -= asked.length;
      for (const [index, { resolve }] of asked.entries()) resolve(tallies[index] as Tally);
    },
    timeout: TIMEOUT,
    entries: 0,
    start: () => Promise.resolve(),
    stop: () => undefined,
  };
}
