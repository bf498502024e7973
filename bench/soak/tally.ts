import type { Loss, SoakAnswer } from './connection.ts';

/** What became of the requests. */
export interface Tally {
  /** Counts one that came out as it should. */
  right(kind: string): void;
  /** Counts one that was answered, but not so. */
  wrong(kind: string, what: string): void;
  /** Counts one that should have been answered and was not. */
  lost(kind: string, how: Loss): void;
  readonly answered: number;
  readonly wrongs: number;
  readonly losses: number;
  /** How often each kind came out right, and the first of each that did not. */
  summary(): string;
}

/** Descriptions that are kept. */
const KEPT = 20;

export function createTally(): Tally {
  const rights = new Map<string, number>();
  const complaints: string[] = [];
  let answered = 0;
  let wrongs = 0;
  let losses = 0;
  const complain = (text: string): void => {
    if (complaints.length < KEPT) complaints.push(text);
  };
  return {
    right(kind) {
      answered += 1;
      rights.set(kind, (rights.get(kind) ?? 0) + 1);
    },
    wrong(kind, what) {
      answered += 1;
      wrongs += 1;
      complain(`wrong: ${kind}: ${what}`);
    },
    lost(kind, how) {
      losses += 1;
      complain(`lost: ${kind}: ${how}`);
    },
    get answered() {
      return answered;
    },
    get wrongs() {
      return wrongs;
    },
    get losses() {
      return losses;
    },
    summary() {
      const lines = [...rights].map(([kind, count]) => `${String(count).padStart(10)} ${kind}`);
      return [...lines, ...complaints].join('\n');
    },
  };
}

export function isLoss(result: SoakAnswer | Loss): result is Loss {
  return typeof result === 'string';
}
