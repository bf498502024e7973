import type { Clock, FetchedDocument, FetchKeyDocument } from '../core/ports.ts';

/** Milliseconds for which a document serves the other workers too. */
const SHARED_FOR = 1_000;

/**
 * Lets the workers of a group share fetches of keys: one is under way per address, and what it brings serves all who ask
 * within a moment, so that the key endpoint sees one proxy, however many processes it has.
 */
export function shareKeyFetches(fetch: FetchKeyDocument, clock: Clock): FetchKeyDocument {
  const latest = new Map<string, { readonly at: number; readonly fetched: Promise<FetchedDocument> }>();
  return (url, timeout) => {
    const known = latest.get(url);
    if (known !== undefined && clock.monotonic() - known.at < SHARED_FOR) {
      return known.fetched.then(({ document }) => ({ document, fresh: false }));
    }
    const fetched = fetch(url, timeout);
    latest.set(url, { at: clock.monotonic(), fetched });
    return fetched;
  };
}
