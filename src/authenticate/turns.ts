/** Spreads work over the turns of the event loop, so much in each. */
export interface Turns {
  /** Whether there is room in this turn for whoever asks; nobody overtakes those who wait. */
  take(): boolean;
  /** Resolves when it is the turn of whoever asks, in order. */
  wait(): Promise<void>;
}

/**
 * A signature costs as much time as serving a request whose token is known. What becomes ready at once is dealt with in one turn of
 * the event loop, so that without this a flood of forged tokens would have everybody wait for all of it. With it, a turn has so many
 * signatures at most, and known callers wait for these only.
 *
 * @param perTurn signatures verified in one turn
 * @param nextTurn runs a function in the next turn
 */
export function createTurns(perTurn: number, nextTurn: (run: () => void) => void = setImmediate): Turns {
  const waiting: (() => void)[] = [];
  let left = perTurn;
  let begun = false;

  const begin = (): void => {
    left -= 1;
    if (begun) return;
    begun = true;
    nextTurn(turn);
  };

  const turn = (): void => {
    left = perTurn;
    begun = false;
    while (left > 0) {
      const go = waiting.shift();
      if (go === undefined) return;
      begin();
      go();
    }
  };

  return {
    take() {
      if (left === 0 || waiting.length > 0) return false;
      begin();
      return true;
    },
    wait: () =>
      new Promise((resolve) => {
        waiting.push(resolve);
      }),
  };
}
