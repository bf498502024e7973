import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** V8's collector: of all garbage, or of the young. */
export type Collect = (options: { readonly type: 'major' | 'minor' }) => void;

/** V8 shows its collector to contexts that are made while the flag is set; nothing else of the process sees it. */
export function exposeCollector(): Collect {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as Collect;
  setFlagsFromString('--no-expose-gc');
  return collect;
}
