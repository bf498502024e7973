import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

/** The programs that the bench starts, and the Debian package of each. */
const PACKAGES = {
  wrk: 'wrk',
  nginx: 'nginx-light',
  haproxy: 'haproxy',
  taskset: 'util-linux',
  setpriv: 'util-linux',
} as const;

/** Where each program is. */
export type Tools = Readonly<Record<keyof typeof PACKAGES, string>>;

/**
 * Looks for the programs.
 *
 * @param folders where to look, in this order
 * @returns where they are, or which packages to install
 */
export function findTools(folders: readonly string[]): Tools | { readonly problem: string } {
  const found: Record<string, string> = {};
  const missing: (keyof typeof PACKAGES)[] = [];
  for (const name of Object.keys(PACKAGES) as (keyof typeof PACKAGES)[]) {
    const path = folders.map((folder) => join(folder, name)).find(isExecutable);
    if (path === undefined) missing.push(name);
    else found[name] = path;
  }
  if (missing.length === 0) return found as Tools;
  const packages = [...new Set(missing.map((name) => PACKAGES[name]))];
  return {
    problem: `the bench needs ${missing.join(', ')}: on Debian, apt-get install ${packages.join(' ')}`,
  };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
