/**
 * Generated paths, sent through the proxy to servers that read paths in their own way: nginx, which decodes, resolves dots and merges
 * slashes before it looks for a location, and Node's URL, decoded and not. A caller without a token never gets what they keep under
 * the protected prefix.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, describe, expect, it } from 'vitest';
import { itWith } from '../support/debian-tools.ts';
import { generatedCases } from '../support/generated-cases.ts';
import { startNginx } from '../support/nginx-server.ts';
import { spellPath } from '../support/path-spellings.ts';
import { type ProxyConfig, startProxy } from '../support/proxy.ts';
import { createSeededRandom } from '../support/seeded-random.ts';

const { numRuns, seed, timeout } = generatedCases(1_500);

interface Layout {
  readonly name: string;
  readonly routes: ProxyConfig['routes'];
  /** What spellings are put behind. */
  readonly prefix: string;
  /** The path in the reader's own address. */
  readonly basePath: string;
}

/** Every spelling is permitted that can be. */
const ROUTES: ProxyConfig['routes'] = [
  { id: 'admin', match: { path: '/admin' }, allow: 'authenticated', upstream: 'reader' },
  { id: 'below', match: { path: '/admin/{path+}' }, allow: 'authenticated', upstream: 'reader' },
  {
    id: 'rest',
    match: { path: '/{path+}', permit: ['%2F', '%25', '%23', '%3F', ';', '//'] },
    allow: 'public',
    upstream: 'reader',
  },
];

/** The same under a prefix, which is stripped. */
const STRIPPED = ROUTES.map((route) => ({
  ...route,
  match: { ...route.match, path: `/v1${route.match.path}` },
  rewrite: { stripPrefix: '/v1' },
}));

const LAYOUTS: readonly Layout[] = [
  { name: 'as it is', routes: ROUTES, prefix: '', basePath: '' },
  { name: 'with a prefix stripped', routes: STRIPPED, prefix: '/v1', basePath: '' },
  { name: 'with a prefix stripped and another added', routes: STRIPPED, prefix: '/v1', basePath: '/base' },
];

/** Answers that must come to be at least, in a hundred: the property would hold as well if nothing got through. */
const FEWEST_OPEN = 2;

/** Sends generated spellings without a token to a reader that answers `protected` or `open`. */
async function tryOut(reader: string, { routes, prefix, basePath }: Layout): Promise<void> {
  const proxy = await startProxy({
    upstreams: { reader: { url: reader + basePath } },
    routes,
    log: { level: 'silent' },
  });
  try {
    const random = createSeededRandom(seed);
    let open = 0;
    for (let i = 0; i < numRuns; i++) {
      const target = prefix + spellPath(random);
      const { text } = await proxy.request(`GET ${target} HTTP/1.1`);
      expect(text, target).not.toBe('protected');
      if (text === 'open') open += 1;
    }
    expect(open).toBeGreaterThan((numRuns / 100) * FEWEST_OPEN);
  } finally {
    await proxy.stop();
  }
}

describe.each(LAYOUTS)('a protected prefix is not reached, $name,', (layout) => {
  const { basePath } = layout;

  itWith('nginx')(
    'as nginx reads paths',
    async () => {
      const nginx = await startNginx(`
        location / { return 200 open; }
        location = ${basePath}/admin { return 200 protected; }
        location ${basePath}/admin/ { return 200 protected; }
      `);
      try {
        // It does keep the prefix, in whatever spelling.
        const kept = await fetch(`${nginx.origin}${basePath}/x/%2e%2e//%61dmin`);
        expect(await kept.text()).toBe('protected');
        await tryOut(nginx.origin, layout);
      } finally {
        await nginx.stop();
      }
    },
    timeout,
  );

  it.each<readonly [string, (pathname: string) => string]>([
    ['as Node’s URL reads them', (pathname) => pathname],
    ['as Node’s URL reads them, decoded', decodeURIComponent],
    [
      'as Node’s URL reads them twice',
      (pathname) => new URL(decodeURIComponent(pathname), 'http://a').pathname,
    ],
  ])('%s', { timeout }, async (_what, read) => {
    const server = createServer((request, response) => {
      response.end(isProtected(request.url ?? '', basePath, read) ? 'protected' : 'open');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    afterAll(() => server.closeAllConnections());
    await tryOut(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, layout);
    server.close();
  });
});

it.each([
  '//public/admin',
  '///public/admin/x',
  '//public//admin',
  '/%2Fpublic/admin',
  '//a;b/admin/x',
  '//a%2Fb/admin',
])('what begins with a host to some is refused where it leads to a stricter rule: %s', async (target) => {
  const proxy = await startProxy({ upstreams: { reader: {} }, routes: ROUTES });
  const got = await proxy.request(`GET ${target} HTTP/1.1`);
  expect([got.status, got.json()]).toMatchObject([400, { code: 'REQUEST_PATH_AMBIGUOUS' }]);
  expect(proxy.upstream.connections).toBe(0);
  await proxy.stop();
});

it.each(['//public/administrator', '//admin.example.com/x', '/a//b'])(
  'and passes elsewhere: %s',
  async (target) => {
    const proxy = await startProxy({ upstreams: { reader: {} }, routes: ROUTES });
    expect((await proxy.request(`GET ${target} HTTP/1.1`)).status).toBe(200);
    await proxy.stop();
  },
);

/** A target that it cannot read, such a server refuses. */
function isProtected(target: string, basePath: string, read: (pathname: string) => string): boolean {
  try {
    const path = read(new URL(target, 'http://reader').pathname);
    return path === `${basePath}/admin` || path.startsWith(`${basePath}/admin/`);
  } catch {
    return false;
  }
}
