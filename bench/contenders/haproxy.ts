import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeRoutes, REQUIREMENTS } from '../world/routes.ts';
import { ISSUER } from '../world/tokens.ts';
import type { Contender } from './contender.ts';
import { findFreePort } from './free-port.ts';
import { fillTemplate } from './template.ts';

/** HAProxy on one thread, in the foreground. */
export const haproxy: Contender = {
  checks: true,
  async start(site, setup, name) {
    const port = await findFreePort();
    const config = join(site.folder, `${name}.cfg`);
    const routesFile = join(site.folder, `${name}.map`);
    const lines = makeRoutes(setup.routes).map(
      ({ method, prefix, requires }) => `${method}${prefix} ${requires ?? 'public'}`,
    );
    writeFileSync(routesFile, lines.join('\n'));
    writeFileSync(
      config,
      fillTemplate('./haproxy.cfg', {
        PORT: port,
        ROUTES_FILE: routesFile,
        ISSUER,
        PEM_FILE: site.mint.pemFile,
        READ_GROUP: REQUIREMENTS.read.group,
        READ_SCOPE: REQUIREMENTS.read.scope,
        WRITE_GROUP: REQUIREMENTS.write.group,
        WRITE_SCOPE: REQUIREMENTS.write.scope,
        UPSTREAM_PORT: site.upstream.port,
      }),
    );
    const child = site.processes.start({
      file: site.tools.haproxy,
      args: ['-db', '-f', config],
      cores: [site.cores.contender],
      log: join(site.folder, `${name}.log`),
      folder: site.folder,
    });
    return { port, pid: child.pid, child, cacheUse: async () => null };
  },
};
