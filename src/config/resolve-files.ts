import { resolve } from 'node:path';
import type { ConfigPath } from './config-path.ts';
import { configSchema } from './schema/config.ts';
import { mapAtPattern, pathsMarked } from './schema-tree.ts';

/** A file that the configuration names, and where it does. */
interface NamedFile {
  readonly path: ConfigPath;
  /** Absolute. */
  readonly file: string;
}

/**
 * Makes every path in the configuration absolute, relative ones starting at `folder`, wherever the schema says that a
 * path stands.
 */
export function resolveFiles(root: unknown, folder: string): { value: unknown; files: readonly NamedFile[] } {
  const files: NamedFile[] = [];
  let value = root;
  for (const pattern of pathsMarked(configSchema, { role: 'file' })) {
    value = mapAtPattern(value, pattern, (name, path) => {
      if (typeof name !== 'string' || name === '') return name;
      const file = resolve(folder, name);
      files.push({ path, file });
      return file;
    });
  }
  return { value, files };
}
