import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** What each file held when it was read, by its absolute path: a digest, or null when it could not be read. */
export type Fingerprints = ReadonlyMap<string, string | null>;

/** A digest of a file's contents; null when it cannot be read. */
export function fingerprint(path: string): string | null {
  try {
    return createHash('sha256').update(readFileSync(path)).digest('base64');
  } catch {
    return null;
  }
}
