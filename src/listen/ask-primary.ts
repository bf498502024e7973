import { type Clock, type FetchedDocument, type FetchKeyDocument, KeysAbsentError } from '../core/ports.ts';
import type { KeysAnswer, ToPrimary } from './worker-messages.ts';

/** How a worker gets key sets: from its primary, which fetches them once for all. */
export interface PrimaryKeys {
  readonly fetch: FetchKeyDocument;
  /** What the primary says to the question of this number; of no effect when nobody waits for it any more. */
  answered(id: number, answer: KeysAnswer): void;
}

/** Milliseconds beyond those of the fetch itself, for the two messages and a primary that is busy. */
const PATIENCE = 2_000;

/** @param tell sends the primary a message, or does nothing where it is gone */
export function createPrimaryKeys(tell: (message: ToPrimary) => void, clock: Clock): PrimaryKeys {
  const asked = new Map<number, (answer: KeysAnswer) => void>();
  let questions = 0;
  return {
    fetch: (url, timeout) =>
      new Promise<FetchedDocument>((resolve, reject) => {
        const id = questions++;
        const take = (answer: KeysAnswer): void => {
          late.cancel();
          asked.delete(id);
          if (answer.kind === 'document') resolve(answer);
          else
            reject(answer.kind === 'absent' ? new KeysAbsentError(answer.reason) : new Error(answer.reason));
        };
        // A question that is never answered would be the last one: no other is asked while one is under way.
        const late = clock.after(timeout + PATIENCE, () =>
          take({ kind: 'failed', reason: 'the primary process does not answer' }),
        );
        asked.set(id, take);
        tell({ kind: 'fetchKeys', id, url, timeout });
      }),
    answered: (id, answer) => asked.get(id)?.(answer),
  };
}
