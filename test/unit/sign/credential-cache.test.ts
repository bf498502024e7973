import { describe, expect, it } from 'vitest';
import { deny, fault, type Refusal } from '../../../src/core/refusal.ts';
import { createCredentialCache } from '../../../src/sign/credential-cache.ts';
import { type Credentials, credentials } from '../../../src/sign/credentials.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

const MINUTE = 60_000;

function setUp(entries = 100) {
  const clock = createFakeClock();
  const results: string[] = [];
  const seconds: (number | null)[] = [];
  const cache = createCredentialCache({
    entries,
    clock,
    observe(result, took) {
      results.push(result);
      seconds.push(took);
    },
  });
  const fetches: { readonly key: string; answer(result: Credentials | Refusal): Promise<void> }[] = [];
  const get = (key: string): Credentials | Refusal | Promise<Credentials | Refusal> =>
    cache.get(key, () => {
      const { promise, resolve } = Promise.withResolvers<Credentials | Refusal>();
      fetches.push({
        key,
        async answer(result) {
          resolve(result);
          await new Promise(setImmediate);
        },
      });
      return promise;
    });
  const fresh = (id: string, lifetime = 60 * MINUTE): Credentials =>
    credentials(id, 'secret', 'token', clock.monotonic() + lifetime);
  return { clock, results, seconds, fetches, get, fresh };
}

describe('credentials that are remembered', () => {
  it('are fetched once, for all who ask at the same time, and then had at once', async () => {
    const { fetches, get, fresh, results, seconds, clock } = setUp();
    const asked = [get('alice'), get('alice'), get('alice')];
    expect(fetches.length).toBe(1);
    clock.advance(250);
    await fetches[0]?.answer(fresh('A'));
    const [first, ...others] = await Promise.all(asked);
    expect(others).toEqual([first, first]);
    expect(get('alice')).toBe(first);
    expect(results).toEqual(['fetched', 'cached']);
    expect(seconds).toEqual([0.25, null]);
  });

  it('are apart by key', async () => {
    const { fetches, get, fresh } = setUp();
    const alice = get('alice');
    const bob = get('bob');
    expect(fetches.map(({ key }) => key)).toEqual(['alice', 'bob']);
    await fetches[1]?.answer(fresh('B'));
    await fetches[0]?.answer(fresh('A'));
    expect(((await alice) as Credentials).accessKeyId).toBe('A');
    expect(((await bob) as Credentials).accessKeyId).toBe('B');
  });

  it('are renewed in the background ten minutes ahead, and waited for five minutes ahead', async () => {
    const { clock, fetches, get, fresh } = setUp();
    const first = get('alice');
    const old = fresh('OLD');
    await fetches[0]?.answer(old);
    await first;

    clock.advance(50 * MINUTE - 1);
    expect(get('alice')).toBe(old);
    expect(fetches.length).toBe(1);
    clock.advance(1);
    expect(get('alice')).toBe(old);
    expect(get('alice')).toBe(old);
    expect(fetches.length).toBe(2);

    clock.advance(5 * MINUTE);
    const waiting = get('alice');
    expect(waiting).toBeInstanceOf(Promise);
    expect(fetches.length).toBe(2);
    const renewed = fresh('NEW');
    await fetches[1]?.answer(renewed);
    expect(await waiting).toBe(renewed);
    expect(get('alice')).toBe(renewed);
  });

  it('of a short life keep a share of it', async () => {
    const { clock, fetches, get, fresh } = setUp();
    void get('alice');
    await fetches[0]?.answer(fresh('A', 15_000));
    clock.advance(9_999);
    get('alice');
    expect(fetches.length).toBe(1);
    clock.advance(1);
    get('alice');
    expect(fetches.length).toBe(2);
    clock.advance(2_500);
    expect(get('alice')).toBeInstanceOf(Promise);
  });

  it('that never expire are never renewed', async () => {
    const { clock, fetches, get } = setUp();
    void get('proxy');
    const forGood = credentials('A', 's', null, Number.POSITIVE_INFINITY);
    await fetches[0]?.answer(forGood);
    clock.advance(1_000_000 * MINUTE);
    expect(get('proxy')).toBe(forGood);
  });

  it('go on working while the service is down, until they are all but dead', async () => {
    const { clock, fetches, get, fresh } = setUp();
    void get('alice');
    const old = fresh('OLD');
    await fetches[0]?.answer(old);
    const down = fault('SIGN_CREDENTIALS_UNAVAILABLE');

    clock.advance(56 * MINUTE);
    const waited = get('alice');
    await fetches[1]?.answer(down);
    expect(await waited).toBe(old);
    // For a second nobody waits for the service that is down.
    expect(get('alice')).toBe(old);
    expect(fetches.length).toBe(2);
    clock.advance(1000);
    const again = get('alice');
    await fetches[2]?.answer(down);
    expect(await again).toBe(old);

    clock.advance(4 * MINUTE - 32_000);
    const nearlyDead = get('alice');
    await fetches[3]?.answer(down);
    expect(await nearlyDead).toBe(old);
    clock.advance(1_000);
    const dead = get('alice');
    await fetches[4]?.answer(down);
    expect(await dead).toBe(down);
  });

  it('end with a denial, however long they would have lasted', async () => {
    const { clock, fetches, get, fresh } = setUp();
    void get('alice');
    await fetches[0]?.answer(fresh('A'));
    clock.advance(51 * MINUTE);
    get('alice');
    const denied = deny('SIGN_CREDENTIALS_DENIED');
    await fetches[1]?.answer(denied);
    expect(get('alice')).toBe(denied);
  });

  it.each([
    ['a denial', deny('SIGN_ROLE_DENIED'), 10_000],
    ['a failure', fault('SIGN_CREDENTIALS_UNAVAILABLE'), 1_000],
  ])('%s is remembered briefly', async (_name, refusal, milliseconds) => {
    const { clock, fetches, get, fresh } = setUp();
    const first = get('alice');
    await fetches[0]?.answer(refusal);
    expect(await first).toBe(refusal);
    clock.advance(milliseconds - 1);
    expect(get('alice')).toBe(refusal);
    expect(fetches.length).toBe(1);
    clock.advance(1);
    const second = get('alice');
    await fetches[1]?.answer(fresh('A'));
    expect(((await second) as Credentials).accessKeyId).toBe('A');
  });

  it.each([
    [deny('SIGN_ROLE_DENIED'), 'denied'],
    [fault('SIGN_CREDENTIALS_THROTTLED'), 'throttled'],
    [fault('SIGN_CREDENTIALS_UNAVAILABLE'), 'unavailable'],
  ])('%o counts as %s', async (refusal, result) => {
    const { fetches, get, results } = setUp();
    void get('alice');
    await fetches[0]?.answer(refusal);
    expect(results).toEqual([result]);
  });

  it('are bounded: those not used for longest go first', async () => {
    const { fetches, get, fresh } = setUp(2);
    for (const [index, key] of ['a', 'b', 'c'].entries()) {
      void get(key);
      await fetches[index]?.answer(fresh(key));
      get('a');
    }
    expect(get('a')).not.toBeInstanceOf(Promise);
    expect(get('c')).not.toBeInstanceOf(Promise);
    expect(get('b')).toBeInstanceOf(Promise);
  });
});
