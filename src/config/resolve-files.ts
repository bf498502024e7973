import { resolve } from 'node:path';
import { configSchema } from './schema/config.ts';
import { mapAtPattern, pathsMarked } from './schema-tree.ts';

/**
 * Makes every path in the configuration absolute, relative ones starting at `folder`, wherever the schema says that a
 * path stands.
 */
export function resolveFiles(root: unknown, folder: string): { value: unknown; files: readonly string[] } {
  const files: string[] = [];
  let value = root;
  for (const pattern of pathsMarked(configSchema, { role: 'file' })) {
    value = mapAtPattern(value, pattern, (path) => {
      if (typeof path !== 'string' || path === '') return path;
      const absolute = resolve(folder, path);
      files.push(absolute);
      return absolute;
    });
  }
  return { value, files };
}
