import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BenchRoute, makeRoutes, REQUIREMENTS } from '../world/routes.ts';
import { CLIENT_ID, USER_POOL_ID } from '../world/tokens.ts';
import type { CacheUse, Contender } from './contender.ts';
import { findFreePort } from './free-port.ts';
import { startSignedUpstream } from './signed-upstream.ts';
import { fillTemplate } from './template.ts';

const ENTRY = fileURLToPath(new URL('../../dist/bin.js', import.meta.url));

/** What the image starts Node with. */
const IMAGE = readFileSync(new URL('../../Dockerfile', import.meta.url), 'utf8');
const NODE_OPTIONS = /^ENV NODE_OPTIONS=(\S+)$/m.exec(IMAGE)?.[1]?.split(' ') ?? [];

/** This proxy as the image starts it: the compiled command with a configuration file. */
export const proxy: Contender = {
  checks: true,
  async start(site, setup, name) {
    const port = await findFreePort();
    const adminPort = await findFreePort();
    const config = join(site.folder, `${name}.yaml`);
    const signed = setup.signs ? await startSignedUpstream(site.folder) : null;
    const routes = makeRoutes(setup.routes).map((route) =>
      writeRoute(route, signed === null ? 'board' : 'api'),
    );
    const url = `http://127.0.0.1:${site.upstream.port}`;
    writeFileSync(
      config,
      fillTemplate('./proxy.yaml', {
        PORT: port,
        ADMIN_PORT: adminPort,
        WORKERS: setup.workers,
        USER_POOL_ID,
        CLIENT_ID,
        KEY_SET_FILE: site.mint.keySetFile,
        CACHE_ENTRIES: setup.cacheEntries,
        UPSTREAM_PORT: site.upstream.port,
        IDENTITY_POOLS: JSON.stringify(signed?.identityPools ?? {}),
        API: JSON.stringify(signed === null ? { url } : { url, sign: signed.sign }),
        ROUTES: JSON.stringify(routes),
      }),
    );
    const { contender, spare, load } = site.cores;
    const child = site.processes.start({
      file: process.execPath,
      args: [...NODE_OPTIONS, ...setup.nodeArguments, ENTRY, 'serve', '--config', config],
      cores: [contender, ...spare, load].slice(0, setup.cores),
      log: join(site.folder, `${name}.log`),
      folder: site.folder,
    });
    return {
      port,
      pid: child.pid,
      child: signed === null ? child : { ...child, stop: () => child.stop().then(() => signed.stop()) },
      cacheUse: async () => readCacheUse(await fetchText(`http://127.0.0.1:${adminPort}/metrics`)),
    };
  },
};

/**
 * A route in the proxy's own words; JSON is YAML.
 * @param upstream of those that know their caller
 */
function writeRoute(route: BenchRoute, upstream: 'board' | 'api'): object {
  const requirement = route.requires === null ? null : REQUIREMENTS[route.requires];
  return {
    id: route.id,
    match: { methods: [route.method], path: `${route.prefix}{item}` },
    allow: requirement === null ? 'public' : { groups: [requirement.group], scopes: [requirement.scope] },
    upstream: requirement === null ? 'board' : upstream,
  };
}

/** Reads the look-ups of the token cache off a scrape. */
export function readCacheUse(scrape: string): CacheUse {
  const count = (result: string): number =>
    Number(
      new RegExp(`^cognito_auth_proxy_token_cache_total\\{result="${result}"\\} (\\S+)$`, 'm').exec(
        scrape,
      )?.[1] ?? 0,
    );
  return { hits: count('hit'), misses: count('miss') };
}

async function fetchText(url: string): Promise<string> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return response.text();
}
