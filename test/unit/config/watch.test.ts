import {
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Fingerprints, fingerprint } from '../../../src/config/fingerprint.ts';
import { watchConfig } from '../../../src/config/watch.ts';
import type { Clock } from '../../../src/core/ports.ts';

/** A clock whose timers run when the test says so; it tells when one has been set. */
function createHandClock() {
  const pending = new Set<() => void>();
  const announce = new Set<() => void>();
  const clock: Clock = {
    now: () => 0,
    monotonic: () => 0,
    after(_, run) {
      pending.add(run);
      const timer = { cancel: () => void pending.delete(run), restart: () => undefined };
      for (const tell of announce) tell();
      announce.clear();
      return timer;
    },
  };
  const nextTimer = (): Promise<void> => new Promise((resolve) => announce.add(resolve));
  return {
    clock,
    /** Resolves when the next timer is set. */
    nextTimer,
    /** Resolves when a timer is waiting: something was seen in a folder. */
    stirred: (): Promise<void> => (pending.size > 0 ? Promise.resolve() : nextTimer()),
    waiting: () => pending.size,
    /** The quiet is over. */
    run(): void {
      const due = [...pending];
      pending.clear();
      for (const each of due) each();
    },
  };
}

let folder: string;
let hand: ReturnType<typeof createHandClock>;
let changes: number;
let failures: string[];
const stops: (() => void)[] = [];

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'watch-test-')));
  hand = createHandClock();
  changes = 0;
  failures = [];
});
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
  rmSync(folder, { recursive: true, force: true });
});

function read(...paths: string[]): Fingerprints {
  return new Map(paths.map((path) => [path, fingerprint(path)]));
}

function watch(files: Fingerprints): () => void {
  const stop = watchConfig(files, {
    clock: hand.clock,
    onChange: () => {
      changes += 1;
    },
    onFailure: (where) => failures.push(where),
  });
  stops.push(stop);
  return stop;
}

/** Watches and lets the first comparison pass, which looks for what was missed before. */
function watchFromNow(...paths: string[]): () => void {
  const stop = watch(read(...paths));
  hand.run();
  expect(changes).toBe(0);
  return stop;
}

/** Waits until the watcher has seen that something happened, then ends the quiet. */
async function settle(): Promise<void> {
  await hand.stirred();
  hand.run();
}

describe('watching', () => {
  it('notices a file written in place', async () => {
    const file = join(folder, 'config.yaml');
    writeFileSync(file, 'a');
    watchFromNow(file);
    writeFileSync(file, 'b');
    await settle();
    expect(changes).toBe(1);
  });

  it('notices a new file renamed over the old, and goes on noticing', async () => {
    const file = join(folder, 'config.yaml');
    writeFileSync(file, 'a');
    watchFromNow(file);
    for (const content of ['b', 'c']) {
      writeFileSync(join(folder, '.config.yaml.swp'), content);
      renameSync(join(folder, '.config.yaml.swp'), file);
      await settle();
    }
    expect(changes).toBe(2);
  });

  it('notices the swap of a symbolic link to a folder, as Kubernetes does it, twice', async () => {
    for (const [version, content] of [
      ['..v1', 'a'],
      ['..v2', 'b'],
      ['..v3', 'c'],
    ] as const) {
      mkdirSync(join(folder, version));
      writeFileSync(join(folder, version, 'config.yaml'), content);
    }
    symlinkSync('..v1', join(folder, '..data'));
    symlinkSync('..data/config.yaml', join(folder, 'config.yaml'));
    watchFromNow(join(folder, 'config.yaml'));
    for (const version of ['..v2', '..v3']) {
      symlinkSync(version, join(folder, '..data_tmp'));
      renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
      await settle();
    }
    expect(changes).toBe(2);
  });

  it('notices a change of the file that a symbolic link leads to elsewhere', async () => {
    mkdirSync(join(folder, 'here'));
    mkdirSync(join(folder, 'there'));
    writeFileSync(join(folder, 'there', 'real.yaml'), 'a');
    symlinkSync('../there/real.yaml', join(folder, 'here', 'config.yaml'));
    watchFromNow(join(folder, 'here', 'config.yaml'));
    writeFileSync(join(folder, 'there', 'real.yaml'), 'b');
    await settle();
    expect(changes).toBe(1);
  });

  it('notices a file that goes away, and one that appears', async () => {
    const file = join(folder, 'config.yaml');
    const secret = join(folder, 'secret');
    writeFileSync(file, 'a');
    watchFromNow(file, secret);
    writeFileSync(secret, 's');
    await settle();
    expect(changes).toBe(1);
    unlinkSync(file);
    await settle();
    expect(changes).toBe(2);
  });

  it('notices files in several folders', async () => {
    const [file, secret] = [join(folder, 'config.yaml'), join(folder, 'secrets', 'key')];
    mkdirSync(join(folder, 'secrets'));
    writeFileSync(file, 'a');
    writeFileSync(secret, 's');
    watchFromNow(file, secret);
    writeFileSync(secret, 't');
    await settle();
    expect(changes).toBe(1);
  });

  it('takes a touch, a neighbour and the same content for no change', async () => {
    const file = join(folder, 'config.yaml');
    writeFileSync(file, 'a');
    watchFromNow(file);
    utimesSync(file, 1, 1);
    await settle();
    writeFileSync(join(folder, 'neighbour'), 'x');
    await settle();
    writeFileSync(file, 'a');
    await settle();
    expect(changes).toBe(0);
  });

  it('waits for quiet: many writes are one change', async () => {
    const file = join(folder, 'config.yaml');
    writeFileSync(file, 'a');
    watchFromNow(file);
    writeFileSync(file, 'b');
    await hand.nextTimer();
    writeFileSync(file, 'c');
    await hand.nextTimer();
    expect(hand.waiting()).toBe(1);
    hand.run();
    expect(changes).toBe(1);
  });

  it('notices what changed between the reading and the watching', () => {
    const file = join(folder, 'config.yaml');
    writeFileSync(file, 'a');
    const files = read(file);
    writeFileSync(file, 'b');
    watch(files);
    hand.run();
    expect(changes).toBe(1);
  });

  it('says which folder it cannot watch, and watches the others', async () => {
    const file = join(folder, 'config.yaml');
    writeFileSync(file, 'a');
    const stop = watch(read(file, join(folder, 'no', 'such', 'key')));
    expect(failures).toEqual([join(folder, 'no', 'such')]);
    hand.run();
    writeFileSync(file, 'b');
    await settle();
    expect(changes).toBe(1);
    expect(failures).toHaveLength(1);
    stop();
  });

  it('sees and plans nothing once stopped', async () => {
    const file = join(folder, 'config.yaml');
    writeFileSync(file, 'a');
    const stop = watchFromNow(file);
    const other = createHandClock();
    stops.push(watchConfig(read(file), { clock: other.clock, onChange: () => {}, onFailure: () => {} }));
    other.run();
    stop();
    writeFileSync(file, 'b');
    await other.stirred();
    expect(hand.waiting()).toBe(0);
    expect(changes).toBe(0);
  });
});
