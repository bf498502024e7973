import { describe, expect, it } from 'vitest';
import { KeysAbsentError } from '../../../src/core/ports.ts';
import { createPrimaryKeys } from '../../../src/listen/ask-primary.ts';
import type { ToPrimary } from '../../../src/listen/worker-messages.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

const URL_A = 'https://a.example/jwks.json';

function start() {
  const told: ToPrimary[] = [];
  const clock = createFakeClock();
  return { told, clock, keys: createPrimaryKeys((message) => told.push(message), clock) };
}

describe('a worker that asks its primary for keys', () => {
  it('is given what the primary has fetched, each question its own answer', async () => {
    const { told, clock, keys } = start();
    const [first, second] = [keys.fetch(URL_A, 1_500), keys.fetch('https://b.example/jwks.json', 900)];
    expect(told).toEqual([
      { kind: 'fetchKeys', id: 0, url: URL_A, timeout: 1_500 },
      { kind: 'fetchKeys', id: 1, url: 'https://b.example/jwks.json', timeout: 900 },
    ]);
    keys.answered(1, { kind: 'document', document: 'b', fresh: true });
    keys.answered(0, { kind: 'document', document: 'a', fresh: false });
    expect(await first).toMatchObject({ document: 'a', fresh: false });
    expect(await second).toMatchObject({ document: 'b', fresh: true });
    expect(clock.waiting).toEqual([]);
  });

  it('hears why there are none', async () => {
    const { keys } = start();
    const absent = keys.fetch(URL_A, 1_500);
    keys.answered(0, { kind: 'absent', reason: '404' });
    await expect(absent).rejects.toThrow(new KeysAbsentError('404'));
    const failed = keys.fetch(URL_A, 1_500);
    keys.answered(1, { kind: 'failed', reason: 'reset' });
    await expect(failed).rejects.toThrow(new Error('reset'));
  });

  it('gives up a primary that does not answer, and does not mind an answer that comes later', async () => {
    const { clock, keys } = start();
    let over = false;
    const fetched = keys.fetch(URL_A, 1_500).finally(() => {
      over = true;
    });
    const refused = expect(fetched).rejects.toThrow('the primary process does not answer');
    clock.advance(3_499);
    await Promise.resolve();
    expect(over).toBe(false);
    clock.advance(1);
    await refused;
    keys.answered(0, { kind: 'document', document: 'a', fresh: true });
    keys.answered(7, { kind: 'failed', reason: 'of nobody' });
  });
});
