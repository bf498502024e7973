import { type ConfigPath, pathKey } from './config-path.ts';
import type { Origin } from './problem.ts';

/** Where each key and each value of a configuration was written. */
export interface Origins {
  set(path: ConfigPath, value: Origin, key?: Origin): void;
  /** The place to show for a path: its own, or that of the nearest part of the configuration that holds it. */
  locate(path: ConfigPath, at: 'value' | 'key' | 'parent'): Origin | null;
}

export function createOrigins(): Origins {
  const entries = new Map<string, { value: Origin; key: Origin }>();
  return {
    set(path, value, key = value) {
      entries.set(pathKey(path), { value, key });
    },
    locate(path, at) {
      const exact = entries.get(pathKey(path));
      if (exact !== undefined) return at === 'value' ? exact.value : exact.key;
      for (let length = path.length - 1; length >= 0; length -= 1) {
        const holder = entries.get(pathKey(path.slice(0, length)));
        if (holder !== undefined) return holder.key;
      }
      return null;
    },
  };
}
