import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeRoutes, REQUIREMENTS } from '../world/routes.ts';
import { ISSUER } from '../world/tokens.ts';
import type { Contender } from './contender.ts';
import { findFreePort } from './free-port.ts';

const ENTRY = fileURLToPath(new URL('./usual-stack.js', import.meta.url));

/** The stack that many write by hand; see its program. */
export const usualStack: Contender = {
  checks: true,
  async start(site, setup, name) {
    const port = await findFreePort();
    const settings = join(site.folder, `${name}.json`);
    writeFileSync(
      settings,
      JSON.stringify({
        port,
        issuer: ISSUER,
        keySetFile: site.mint.keySetFile,
        logFile: join(site.folder, `${name}.log`),
        upstream: `http://127.0.0.1:${site.upstream.port}`,
        routes: makeRoutes(setup.routes).map(({ method, prefix, requires }) => ({
          method,
          prefix,
          requires: requires === null ? null : REQUIREMENTS[requires],
        })),
      }),
    );
    const child = site.processes.start({
      file: process.execPath,
      args: [...setup.nodeArguments, ENTRY, settings],
      cores: [site.cores.contender],
      folder: site.folder,
    });
    return { port, pid: child.pid, child, cacheUse: async () => null };
  },
};
