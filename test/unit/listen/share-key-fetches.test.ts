import { describe, expect, it } from 'vitest';
import type { FetchedDocument } from '../../../src/core/ports.ts';
import { shareKeyFetches } from '../../../src/listen/share-key-fetches.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

function setUp() {
  const clock = createFakeClock();
  const asked: { readonly url: string; readonly answer: PromiseWithResolvers<FetchedDocument> }[] = [];
  const fetch = shareKeyFetches((url) => {
    const answer = Promise.withResolvers<FetchedDocument>();
    asked.push({ url, answer });
    return answer.promise;
  }, clock);
  return { clock, asked, fetch };
}

describe('shared fetches of keys', () => {
  it('are one for all who ask while it is under way, and fresh for the first', async () => {
    const { asked, fetch } = setUp();
    const answers = [fetch('https://a', 1), fetch('https://a', 1), fetch('https://a', 1)];
    expect(asked.map(({ url }) => url)).toEqual(['https://a']);
    asked[0]?.answer.resolve({ document: 'keys', fresh: true });
    expect(await Promise.all(answers)).toEqual([
      { document: 'keys', fresh: true },
      { document: 'keys', fresh: false },
      { document: 'keys', fresh: false },
    ]);
  });

  it('are one for each address', () => {
    const { asked, fetch } = setUp();
    void fetch('https://a', 1);
    void fetch('https://b', 1);
    expect(asked.map(({ url }) => url)).toEqual(['https://a', 'https://b']);
  });

  it('serve those who ask within a second of the answer, and no longer', async () => {
    const { clock, asked, fetch } = setUp();
    const first = fetch('https://a', 1);
    clock.advance(5_000);
    void fetch('https://a', 1);
    expect(asked).toHaveLength(1);
    asked[0]?.answer.resolve({ document: 'old', fresh: true });
    await first;
    clock.advance(999);
    expect(await fetch('https://a', 1)).toEqual({ document: 'old', fresh: false });
    clock.advance(1);
    const later = fetch('https://a', 1);
    asked[1]?.answer.resolve({ document: 'new', fresh: true });
    expect(await later).toEqual({ document: 'new', fresh: true });
  });

  it('of files are not shared: each asks because it was told that the file changed', () => {
    const { asked, fetch } = setUp();
    void fetch('file:///keys.json', 1);
    void fetch('file:///keys.json', 1);
    expect(asked).toHaveLength(2);
  });

  it('fail for all who share them', async () => {
    const { asked, fetch } = setUp();
    const answers = [fetch('https://a', 1), fetch('https://a', 1)];
    asked[0]?.answer.reject(new Error('down'));
    for (const answer of answers) await expect(answer).rejects.toThrow('down');
  });
});
