import { setImmediate } from 'node:timers/promises';
import type { FetchKeyDocument, KeyObserver } from '../../src/core/ports.ts';
import { keySet, type SigningKey } from './token-factory.ts';

type Fetched = 'success' | 'absent' | 'failure';

/** A key endpoint without a network, and an observer of what became of each fetch. */
export interface ScriptedKeys {
  readonly fetch: FetchKeyDocument;
  readonly observer: KeyObserver;
  /** What was asked for, in order. */
  readonly asked: readonly { readonly url: string; readonly timeout: number }[];
  /** What became of it, in order. */
  readonly results: readonly Fetched[];
  /** From now on there are exactly these keys, or at this address exactly these. */
  serve(keys: readonly SigningKey[], url?: string): void;
  /** From now on this document is served as it is. */
  serveDocument(document: string): void;
  /** From now on every fetch fails so, or every fetch of this address. */
  fail(error: Error, url?: string): void;
  /** From now on documents were fetched before they were asked for, by another process. */
  stale(): void;
  /** Keeps answers back until they are released. */
  hold(): void;
  release(): void;
  /** Resolves when so many fetches have come to an end since the beginning. */
  settled(count: number): Promise<void>;
}

export function scriptKeys(): ScriptedKeys {
  const asked: { readonly url: string; readonly timeout: number }[] = [];
  const results: Fetched[] = [];
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  const answers = new Map<string, string | Error>();
  let gate: PromiseWithResolvers<void> | null = null;
  let fresh = true;

  return {
    asked,
    results,
    async fetch(url, timeout) {
      asked.push({ url, timeout });
      await gate?.promise;
      const answer = answers.get(url) ?? answers.get('*') ?? new Error('nothing is served');
      if (answer instanceof Error) throw answer;
      return { document: answer, fresh };
    },
    observer: {
      keysFetched(_, result) {
        results.push(result);
        for (const { count, resolve } of waiting) if (results.length >= count) resolve();
      },
    },
    serve: (keys, url = '*') => void answers.set(url, JSON.stringify(keySet(...keys))),
    serveDocument: (document) => void answers.set('*', document),
    fail: (error, url = '*') => void answers.set(url, error),
    stale() {
      fresh = false;
    },
    hold() {
      gate = Promise.withResolvers();
    },
    release() {
      gate?.resolve();
      gate = null;
    },
    async settled(count) {
      if (results.length < count) {
        await new Promise<void>((resolve) => void waiting.push({ count, resolve }));
      }
      // What waited for the same fetch goes first.
      await setImmediate();
    },
  };
}
