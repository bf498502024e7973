import type { Clock, FetchedDocument, FetchKeyDocument } from '../core/ports.ts';

/** Milliseconds for which a document serves the other workers too. */
const SHARED_FOR = 1_000;

/**
 * Lets the workers of a group share fetches of keys: one is under way per address, and what it brings serves all who ask
 * within a moment, so that the key endpoint sees one proxy, however many processes it has. Files are read for each: that
 * costs nothing, and who asks for one has often just been told that it changed.
 */
export function shareKeyFetches(fetch: FetchKeyDocument, clock: Clock): FetchKeyDocument {
  const latest = new Map<string, { settledAt: number | null; readonly fetched: Promise<FetchedDocument> }>();
  return (url, timeout) => {
    if (url.startsWith('file:')) return fetch(url, timeout);
    const known = latest.get(url);
    if (
      known !== undefined &&
      (known.settledAt === null || clock.monotonic() - known.settledAt < SHARED_FOR)
    ) {
      return known.fetched.then(({ document }) => ({ document, fresh: false }));
    }
    const fetched = fetch(url, timeout);
    const shared = { settledAt: null as number | null, fetched };
    latest.set(url, shared);
    const settle = (): void => {
      shared.settledAt = clock.monotonic();
    };
    fetched.then(settle, settle);
    return fetched;
  };
}
