import { describe, expect, it } from 'vitest';
import {
  createKeySource,
  isKey,
  type KeySourceOptions,
  UNKNOWN_KEY_COOLDOWN,
} from '../../../src/authenticate/key-source.ts';
import { KeysAbsentError } from '../../../src/core/ports.ts';
import { createFakeClock, type FakeClock } from '../../support/fake-clock.ts';
import { type LogLine, recordingLogger } from '../../support/recording-logger.ts';
import { scriptKeys } from '../../support/scripted-keys.ts';
import { makeKey } from '../../support/token-factory.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const URL = 'https://issuer.test/.well-known/jwks.json';

const [one, two, three] = [makeKey('one'), makeKey('two'), makeKey('three')];
const otherOne = makeKey('one');

function openSource(changes: Partial<KeySourceOptions> = {}) {
  const clock = createFakeClock();
  const script = scriptKeys();
  const log: LogLine[] = [];
  const removed: string[][] = [];
  const source = createKeySource({
    pool: 'main',
    url: URL,
    refresh: HOUR,
    maxStale: 24 * HOUR,
    timeout: 1_500,
    dev: false,
    fetch: script.fetch,
    clock,
    logger: recordingLogger(log),
    observer: script.observer,
    otherHasKeys: () => false,
    onRemoved: (kids) => void removed.push([...kids]),
    ...changes,
  });
  /** The key's name, or the code of the refusal. */
  const find = async (kid: string): Promise<string> => {
    const found = await source.find(kid);
    return isKey(found) ? kid : `${found.kind} ${found.code}`;
  };
  return { clock, script, log, removed, source, find };
}

/** A source that has its first keys. */
async function openWith(keys: Parameters<ReturnType<typeof scriptKeys>['serve']>[0], changes = {}) {
  const opened = openSource(changes);
  opened.script.serve(keys);
  opened.source.start();
  await opened.script.settled(1);
  return opened;
}

const UNKNOWN = 'deny AUTHN_KEY_UNKNOWN';
const UNAVAILABLE = 'fault AUTHN_KEYS_UNAVAILABLE';

describe('a key source', () => {
  it('fetches nothing before it is started, then at once', async () => {
    const { script, source } = openSource();
    script.serve([one, two]);
    expect(script.asked).toEqual([]);
    expect(source.ready).toBe(false);
    expect(source.age()).toBeNull();
    source.start();
    await script.settled(1);
    expect(script.asked).toEqual([{ url: URL, timeout: 1_500 }]);
    expect(source.ready).toBe(true);
    expect(source.get('one')?.equals(one.publicKey)).toBe(true);
    expect(source.get('two')?.equals(two.publicKey)).toBe(true);
    expect(source.get('three')).toBeUndefined();
  });

  it('lets those who ask early wait for the first fetch, all for the same', async () => {
    const { script, source, find } = openSource();
    script.serve([one]);
    script.hold();
    source.start();
    const early = Promise.all(Array.from({ length: 100 }, (_, i) => find(i % 2 === 0 ? 'one' : 'invented')));
    script.release();
    expect(new Set(await early)).toEqual(new Set(['one', UNKNOWN]));
    expect(script.asked).toHaveLength(1);
  });

  it('tells how old its keys are, by a clock that no administrator moves', async () => {
    const { clock, source } = await openWith([one]);
    expect(source.age()).toBe(0);
    clock.advance(90 * SECOND);
    clock.stepWall(-24 * HOUR);
    expect(source.age()).toBe(90);
  });
});

describe('the background refresh', () => {
  it('comes once an hour, spread over a tenth of it', async () => {
    const { clock, script } = await openWith([one]);
    clock.advance(0.94 * HOUR);
    expect(script.asked).toHaveLength(1);
    clock.advance(0.12 * HOUR);
    expect(script.asked).toHaveLength(2);
    await script.settled(2);
    clock.advance(1.06 * HOUR);
    expect(script.asked).toHaveLength(3);
  });

  it('brings a new key into use before anybody asks for it', async () => {
    const { clock, script, source, removed } = await openWith([one]);
    script.serve([one, two]);
    clock.advance(1.06 * HOUR);
    await script.settled(2);
    expect(source.get('two')?.equals(two.publicKey)).toBe(true);
    expect(source.get('one')).toBeDefined();
    expect(removed).toEqual([]);
    expect(source.age()).toBe(0);
  });

  it('puts a key that is gone out of use, and says so', async () => {
    const { clock, script, source, removed, log, find } = await openWith([one, two]);
    script.serve([two]);
    clock.advance(1.06 * HOUR);
    await script.settled(2);
    expect(source.get('one')).toBeUndefined();
    expect(removed).toEqual([['one']]);
    expect(log).toContainEqual({
      level: 'info',
      message: 'keys removed by the issuer',
      pool: 'main',
      kids: ['one'],
    });
    expect(await find('one')).toBe(UNKNOWN);
  });

  it('takes a key that was changed under its name for removed', async () => {
    const { clock, script, source, removed } = await openWith([one, two]);
    script.serve([otherOne, two]);
    clock.advance(1.06 * HOUR);
    await script.settled(2);
    expect(source.get('one')?.equals(otherOne.publicKey)).toBe(true);
    expect(removed).toEqual([['one']]);
  });

  it('comes at least twice before keys would be stale, whatever was asked for', async () => {
    const { clock, script } = await openWith([one], { refresh: 48 * HOUR, maxStale: 24 * HOUR });
    clock.advance(12.7 * HOUR);
    expect(script.asked).toHaveLength(2);
  });

  it('comes once a second at most, whatever was asked for', async () => {
    const { clock, script } = await openWith([one], { refresh: 0 });
    clock.advance(0.94 * SECOND);
    expect(script.asked).toHaveLength(1);
    clock.advance(0.12 * SECOND);
    expect(script.asked).toHaveLength(2);
  });

  it('ends with the source', async () => {
    const { clock, script, source } = await openWith([one]);
    source.stop();
    expect(clock.waiting).toEqual([]);
    clock.advance(48 * HOUR);
    expect(script.asked).toHaveLength(1);
  });

  it('does not take over what comes after the end', async () => {
    const { clock, script, source, removed } = await openWith([one]);
    script.serve([two]);
    script.hold();
    const asking = source.find('two');
    expect(script.asked).toHaveLength(2);
    source.stop();
    script.release();
    await asking;
    expect(source.get('two')).toBeUndefined();
    expect(removed).toEqual([]);
    expect(script.results).toEqual(['success']);
    expect(clock.waiting).toEqual([]);
  });
});

describe('an unknown key id', () => {
  it('causes a fetch, which all who ask meanwhile share', async () => {
    const { script, find } = await openWith([one]);
    script.serve([one, two]);
    script.hold();
    const asked = Promise.all([find('two'), find('two'), find('invented'), find('one')]);
    script.release();
    expect(await asked).toEqual(['two', 'two', UNKNOWN, 'one']);
    expect(script.asked).toHaveLength(2);
  });

  it('causes no other fetch until the cooldown is over', async () => {
    const { clock, script, find } = await openWith([one]);
    expect(await find('a')).toBe(UNKNOWN);
    expect(await find('b')).toBe(UNKNOWN);
    clock.advance(UNKNOWN_KEY_COOLDOWN - 1);
    expect(await find('c')).toBe(UNKNOWN);
    expect(script.asked).toHaveLength(2);
    clock.advance(1);
    expect(await find('d')).toBe(UNKNOWN);
    expect(script.asked).toHaveLength(3);
  });

  it('is remembered for a minute when a fetch did not bring it, and leaves the next fetch to others', async () => {
    const { clock, script, find } = await openWith([one]);
    await find('invented');
    for (let second = 0; second < 59; second++) {
      clock.advance(SECOND);
      expect(await find('invented')).toBe(UNKNOWN);
    }
    expect(script.asked).toHaveLength(2);
    script.serve([one, two]);
    expect(await find('two')).toBe('two');
    expect(script.asked).toHaveLength(3);
    clock.advance(UNKNOWN_KEY_COOLDOWN);
    await find('invented');
    expect(script.asked).toHaveLength(4);
  });

  it('is not remembered when the document was older than the question', async () => {
    const { clock, script, find } = await openWith([one]);
    script.stale();
    expect(await find('two')).toBe(UNKNOWN);
    script.serve([one, two]);
    clock.advance(UNKNOWN_KEY_COOLDOWN);
    expect(await find('two')).toBe('two');
  });

  it('in a flood of others still gets through within a cooldown of its rotation', async () => {
    const { clock, script, source, find } = await openWith([one]);
    const inventAll = async (milliseconds: number): Promise<void> => {
      for (let at = 0; at < milliseconds; at += 100) {
        clock.advance(100);
        await Promise.all([find(`invented ${clock.now()}`), find(`${clock.now()}`), find('the same')]);
      }
    };
    await inventAll(30 * SECOND);
    script.serve([two, three]);
    await inventAll(UNKNOWN_KEY_COOLDOWN);
    expect(source.get('two')?.equals(two.publicKey)).toBe(true);
    expect(await find('three')).toBe('three');
    expect(await find('one')).toBe(UNKNOWN);
    await inventAll(25 * SECOND);
    // The one at start, and one for each cooldown of the minute.
    expect(script.asked.length).toBeLessThanOrEqual(1 + MINUTE / UNKNOWN_KEY_COOLDOWN);
  });

  it('asks no more than the retries do while there are no keys at all', async () => {
    const { script, source, find } = openSource();
    source.start();
    await script.settled(1);
    for (let i = 0; i < 10; i++) expect(await find(`kid ${i}`)).toBe(UNAVAILABLE);
    expect(script.asked).toHaveLength(1);
  });
});

describe('when keys cannot be fetched', () => {
  const down = new Error('connect ECONNREFUSED');

  /** Turns the clock to the next timer's hour and gives how long that took, in seconds. */
  async function nextRetry(clock: FakeClock, script: ReturnType<typeof scriptKeys>): Promise<number> {
    const wait = Math.min(...clock.waiting);
    clock.advance(wait);
    await script.settled(script.asked.length);
    return wait / SECOND;
  }

  it('at start, asks again at growing intervals of a minute at most, and recovers alone', async () => {
    const { clock, script, source, log, find } = openSource();
    script.fail(down);
    source.start();
    await script.settled(1);
    expect(source.ready).toBe(false);
    expect(await find('one')).toBe(UNAVAILABLE);
    for (const seconds of [1, 2, 4, 8, 16, 32, 60, 60]) {
      const waited = await nextRetry(clock, script);
      expect(waited).toBeGreaterThanOrEqual(seconds * 0.95);
      expect(waited).toBeLessThanOrEqual(seconds * 1.05);
    }
    expect(log.at(-1)).toEqual({
      level: 'warn',
      message: 'keys could not be fetched',
      pool: 'main',
      url: URL,
      err: down,
    });
    script.serve([one]);
    await nextRetry(clock, script);
    expect(source.ready).toBe(true);
    expect(await find('one')).toBe('one');
    expect(await nextRetry(clock, script)).toBeGreaterThan(0.9 * 3_600);
  });

  it('later, goes on with the keys there are, and begins anew with short intervals', async () => {
    const { clock, script, source, find } = await openWith([one]);
    script.fail(down);
    await nextRetry(clock, script);
    expect(source.get('one')).toBeDefined();
    expect(source.ready).toBe(true);
    expect(await find('one')).toBe('one');
    expect(await nextRetry(clock, script)).toBeLessThanOrEqual(1.05);
    script.serve([one]);
    await nextRetry(clock, script);
    script.fail(down);
    await nextRetry(clock, script);
    expect(await nextRetry(clock, script)).toBeLessThanOrEqual(1.05);
  });

  it('drops them when they are older than maxStale, and stays ready', async () => {
    const { clock, script, source, removed, log, find } = await openWith([one, two]);
    script.fail(down);
    while (source.get('one') !== undefined) await nextRetry(clock, script);
    expect(clock.monotonic() - 5_000_000).toBe(24 * HOUR);
    expect(removed).toEqual([['one', 'two']]);
    expect(source.ready).toBe(true);
    expect(source.age()).toBeNull();
    expect(await find('one')).toBe(UNAVAILABLE);
    expect(log).toContainEqual({
      level: 'error',
      message: 'keys are older than maxStale and no longer used',
      pool: 'main',
      url: URL,
    });
    script.serve([one]);
    await nextRetry(clock, script);
    expect(await find('one')).toBe('one');
  });

  it('keeps them for as long as maxStale says where timers cannot wait so long', async () => {
    const clock = createFakeClock();
    const impatient = {
      ...clock,
      after: (wait: number, run: () => void) => clock.after(Math.min(wait, 10 * HOUR), run),
    };
    const { script, source } = await openWith([one], { clock: impatient });
    script.fail(down);
    clock.advance(23.9 * HOUR);
    expect(source.get('one')).toBeDefined();
    clock.advance(0.1 * HOUR);
    expect(source.get('one')).toBeUndefined();
  });

  it('keeps them for ever where nothing makes them stale', async () => {
    const { clock, script, source } = await openWith([one], { maxStale: Number.POSITIVE_INFINITY });
    script.fail(down);
    clock.advance(1_000 * HOUR);
    expect(source.get('one')).toBeDefined();
  });

  it.each([
    ['nothing', ''],
    ['a web page', '<html>'],
    ['another document', '{"message":"Forbidden"}'],
    ['an empty set', '{"keys":[]}'],
    ['a set without a usable key', JSON.stringify({ keys: [makeKey('one', 1024).jwk] })],
  ])('never puts %s in the place of good keys', async (_, document) => {
    const { clock, script, source, removed } = await openWith([one]);
    script.serveDocument(document);
    await nextRetry(clock, script);
    expect(script.results).toEqual(['success', 'failure']);
    expect(source.get('one')?.equals(one.publicKey)).toBe(true);
    expect(removed).toEqual([]);
    expect(source.age()).toBeGreaterThan(0);
  });
});

describe('an issuer that has no keys', () => {
  const absent = new KeysAbsentError('the key endpoint answered 403');

  it('is a fault when no other issuer of the pool has keys', async () => {
    const { clock, script, source, log, find } = openSource();
    script.fail(absent);
    source.start();
    await script.settled(1);
    expect(script.results).toEqual(['absent']);
    expect(await find('one')).toBe(UNAVAILABLE);
    expect(log.map((line) => line.level)).toEqual(['warn']);
    clock.advance(1.06 * SECOND);
    expect(script.asked).toHaveLength(2);
  });

  it('is not in use when another has', async () => {
    const { clock, script, source, log, find } = openSource({ otherHasKeys: () => true });
    script.fail(absent);
    source.start();
    await script.settled(1);
    expect(log.map((line) => line.level)).toEqual(['debug']);
    clock.advance(0.94 * HOUR);
    expect(script.asked).toHaveLength(1);
    expect(await find('one')).toBe(UNKNOWN);
  });

  it('may come into use: a token that claims it has it asked again, once per cooldown', async () => {
    const { clock, script, source, find } = openSource({ otherHasKeys: () => true });
    script.fail(absent);
    source.start();
    await script.settled(1);
    expect(await Promise.all([find('one'), find('two'), find('one')])).toEqual([UNKNOWN, UNKNOWN, UNKNOWN]);
    expect(script.asked).toHaveLength(2);
    script.serve([one]);
    expect(await find('one')).toBe(UNKNOWN);
    clock.advance(UNKNOWN_KEY_COOLDOWN);
    expect(await find('one')).toBe('one');
    expect(script.asked).toHaveLength(3);
  });

  it('that had keys keeps them, and is a fault whatever others have', async () => {
    const { clock, script, source, log, find } = await openWith([one], { otherHasKeys: () => true });
    script.fail(absent);
    clock.advance(1.06 * HOUR);
    await script.settled(2);
    expect(source.get('one')).toBeDefined();
    expect(log.map((line) => line.level)).toEqual(['warn']);
    expect(await find('two')).toBe(UNAVAILABLE);
    expect(Math.min(...clock.waiting)).toBeLessThanOrEqual(2 * SECOND * 1.05);
  });
});

describe('why a key is not there', () => {
  it.each<readonly [string, boolean, (script: ReturnType<typeof scriptKeys>) => void, string]>([
    ['the last fetch brought keys, and not this one', true, (script) => script.serve([one]), UNKNOWN],
    ['the last fetch failed', true, (script) => script.fail(new Error('timeout')), UNAVAILABLE],
    ['the last fetch brought garbage', true, (script) => script.serveDocument('{}'), UNAVAILABLE],
    ['the issuer says it has none', true, (script) => script.fail(new KeysAbsentError('403')), UNAVAILABLE],
    ['no fetch has succeeded yet', false, (script) => script.fail(new Error('timeout')), UNAVAILABLE],
  ])('when %s', async (_, hadKeys, then, expected) => {
    const { script, source, find } = openSource();
    if (hadKeys) {
      script.serve([one]);
      source.start();
      await script.settled(1);
      then(script);
    } else {
      then(script);
      source.start();
      await script.settled(1);
    }
    expect(await find('two')).toBe(expected);
    // The same within the cooldown, when nothing is fetched.
    expect(await find('three')).toBe(expected);
    expect(script.asked.length).toBeLessThanOrEqual(2);
  });
});
