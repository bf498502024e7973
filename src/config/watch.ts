import { type FSWatcher, realpathSync, watch } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock, Timer } from '../core/ports.ts';
import { type Fingerprints, fingerprint } from './fingerprint.ts';

/** Milliseconds of quiet before the files are compared: editors and orchestrators make several changes in a row. */
const QUIET = 200;

export interface WatchOptions {
  readonly clock: Clock;
  /** Some file holds something else than it did, or is gone, or has appeared. */
  readonly onChange: () => void;
  /** A folder cannot be watched, or no longer: changes in it go unseen. Said once of each. */
  readonly onFailure: (folder: string, cause: unknown) => void;
}

/**
 * Watches files by their folders, because what changes is seldom the file itself: an orchestrator swaps a symbolic link
 * in the folder, an editor renames a new file over the old. Contents are compared, so that a touch is no change.
 * A change that came between the reading of `files` and this call is noticed too.
 * @param files what each file held when it was read
 * @returns stops watching
 */
export function watchConfig(files: Fingerprints, options: WatchOptions): () => void {
  const watchers = new Map<string, FSWatcher>();
  const unwatched = new Set<string>();
  let known = files;
  let timer: Timer | null = null;

  const followFolders = (): void => {
    const wanted = new Set([...files.keys()].flatMap(foldersOf));
    for (const [folder, watcher] of watchers) {
      if (wanted.has(folder)) continue;
      watcher.close();
      watchers.delete(folder);
    }
    for (const folder of wanted) if (!watchers.has(folder)) follow(folder);
  };

  const follow = (folder: string): void => {
    try {
      const watcher = watch(folder, { persistent: false }, schedule);
      watchers.set(folder, watcher);
      watcher.on('error', (cause) => {
        watcher.close();
        watchers.delete(folder);
        fail(folder, cause);
      });
      unwatched.delete(folder);
    } catch (cause) {
      fail(folder, cause);
    }
  };

  const fail = (folder: string, cause: unknown): void => {
    if (unwatched.has(folder)) return;
    unwatched.add(folder);
    options.onFailure(folder, cause);
  };

  const schedule = (): void => {
    timer?.cancel();
    timer = options.clock.after(QUIET, compare);
  };

  const compare = (): void => {
    timer = null;
    followFolders();
    const current = new Map([...files.keys()].map((path) => [path, fingerprint(path)]));
    const changed = [...current].some(([path, digest]) => known.get(path) !== digest);
    known = current;
    if (changed) options.onChange();
  };

  followFolders();
  schedule();
  return () => {
    timer?.cancel();
    for (const watcher of watchers.values()) watcher.close();
    watchers.clear();
  };
}

/** The folder that holds the name, and the one that holds the file the name leads to. */
function foldersOf(path: string): string[] {
  try {
    return [dirname(path), dirname(realpathSync(path))];
  } catch {
    return [dirname(path)];
  }
}
