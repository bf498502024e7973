import { readFileSync } from 'node:fs';
import { isMapping } from '../config-path.ts';
import { describeFileError } from '../file-error.ts';
import type { Check } from './check.ts';

/** A key set on disk must be there and be one; whether its keys are any good is seen where tokens are verified. */
export const keySetFiles: Check = (draft, { telling }) =>
  [...draft.userPools].flatMap(([name, pool]) => {
    if (pool === null || !('file' in pool.keys)) return [];
    const path = ['userPools', name, 'keys', 'file'];
    const mistake = mistakeInKeySet(pool.keys.file);
    return mistake === null ? [] : [{ path, message: `${telling.file(path, pool.keys.file)} ${mistake}` }];
  });

function mistakeInKeySet(file: string): string | null {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return `cannot be read: ${describeFileError(error)}`;
  }
  try {
    const document: unknown = JSON.parse(text);
    const keys = isMapping(document) ? document['keys'] : undefined;
    if (Array.isArray(keys) && keys.length > 0) return null;
  } catch {
    // said below
  }
  return 'is not a JSON Web Key Set: expected { "keys": [...] }';
}
