/**
 * An oracle instead of examples: whatever reaches the upstream for a caller must not be, in any common reading, a page that asks for
 * more than the caller has. The spellings are generated; the readings are in support/path-readings.ts.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canonicalizePath } from '../../src/listen/canonical-path.ts';
import { attack, SHAPES, untilIdle } from '../support/attack.ts';
import { generatedCases } from '../support/generated-cases.ts';
import { isBelow, isUnder, readingsOf } from '../support/path-readings.ts';
import { spellPath } from '../support/path-spellings.ts';
import { bearer, type ProxyConfig, type ProxyUnderTest, startProxy } from '../support/proxy.ts';
import { createSeededRandom } from '../support/seeded-random.ts';

const CASES = { request: generatedCases(5_000), upgrade: generatedCases(1_500) };

const PERMITTED = ['%2F', '%25', '%23', '%3F', ';', '//'] as const;

type Routes = ProxyConfig['routes'];

/** A page that asks for a token, and those below it, which ask for a group. */
function protectedRoutes(prefix = ''): Routes {
  return [
    { id: 'admin', match: { path: `${prefix}/admin` }, allow: 'authenticated', upstream: 'board' },
    {
      id: 'admin-below',
      match: { path: `${prefix}/admin/{path+}` },
      allow: { groups: ['admins'] },
      upstream: 'board',
    },
  ];
}

/** A catch-all that permits every spelling that can be permitted, or none. */
function openRoute(prefix = '', permit: readonly (typeof PERMITTED)[number][] = PERMITTED): Routes[number] {
  return {
    id: 'rest',
    match: { path: `${prefix}/{path+}`, permit: [...permit] },
    allow: 'public',
    upstream: 'board',
  };
}

function stripped(prefix: string): Routes {
  return [...protectedRoutes(prefix), openRoute(prefix)].map((route) => ({
    ...route,
    rewrite: { stripPrefix: prefix },
  }));
}

interface Layout {
  readonly name: string;
  readonly routes: Routes;
  /** What spellings are put behind. */
  readonly prefix?: string;
  /** The path in the upstream's own address. */
  readonly basePath?: string;
}

const LAYOUTS: readonly Layout[] = [
  {
    name: 'beside open routes, one of which permits every spelling that can be permitted',
    routes: [
      ...protectedRoutes(),
      { id: 'open', match: { path: '/public/{path+}' }, allow: 'public', upstream: 'board' },
      {
        id: 'any',
        match: { path: '/any/{path+}', permit: [...PERMITTED] },
        allow: 'public',
        upstream: 'board',
      },
    ],
  },
  { name: 'beside an open catch-all', routes: [...protectedRoutes(), openRoute('', [])] },
  {
    name: 'beside an open catch-all that permits every spelling that can be permitted',
    routes: [...protectedRoutes(), openRoute()],
  },
  {
    name: 'beside such a catch-all, to an upstream that has a path of its own',
    routes: [...protectedRoutes(), openRoute()],
    basePath: '/base/path/',
  },
  {
    name: 'beside such a catch-all, under a prefix that is stripped',
    routes: stripped('/v1'),
    prefix: '/v1',
  },
  {
    name: 'beside such a catch-all, under a prefix that is stripped, to an upstream that has a path of its own',
    routes: stripped('/v1/x'),
    prefix: '/v1/x',
    basePath: '/base',
  },
];

interface Caller {
  readonly name: string;
  readonly headers: (proxy: ProxyUnderTest) => readonly string[];
  /** What a caller without what is asked for may be answered. */
  readonly refusals: readonly number[];
  /** Whether a page is not for this caller to see. */
  readonly isKeptFrom: (page: string, admin: string) => boolean;
  /** Answers of each kind that the corpus must bring about at least, to be worth something. */
  readonly fewest: Readonly<Record<number, number>>;
}

const CALLERS: readonly Caller[] = [
  {
    name: 'without a token',
    headers: () => [],
    refusals: [400, 401, 404],
    isKeptFrom: isUnder,
    fewest: { 200: 100, 400: 1_000, 401: 10 },
  },
  {
    name: 'with the token of somebody who is not in the group',
    headers: (proxy) => [bearer(proxy.token({ 'cognito:groups': ['writers'] }))],
    refusals: [400, 403, 404],
    isKeptFrom: isBelow,
    fewest: { 200: 100, 400: 1_000, 403: 5 },
  },
];

const KINDS = CALLERS.flatMap((caller) => SHAPES.map((shape) => ({ ...caller, shape })));

describe.each(LAYOUTS)('a protected prefix $name', ({ routes, prefix = '', basePath = '' }) => {
  let proxy: ProxyUnderTest;
  const base = basePath.replace(/\/$/, '');

  beforeAll(async () => {
    proxy = await startProxy({ routes, log: { level: 'silent' } }, { basePath });
  });
  afterAll(async () => {
    await untilIdle(proxy);
    await proxy.stop();
  });

  it.each(KINDS)(
    'is never reached $name, by $shape',
    { timeout: CASES.request.timeout },
    async ({ shape, headers, refusals, isKeptFrom, fewest }) => {
      const { numRuns, seed } = CASES[shape];
      const random = createSeededRandom(seed);
      const statuses = new Map<number, number>();
      const spellings = new Set<string>();
      while (spellings.size < numRuns) spellings.add(behind(prefix, spellPath(random)));
      const lines = headers(proxy);

      for (const target of spellings) {
        const { response, reached } = await attack(proxy, shape, target, lines);
        statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
        if (reached.length === 0) {
          expect(refusals, target).toContain(response.status);
          continue;
        }
        expect(response.status, target).toBe(200);
        expect(reached, target).toHaveLength(1);
        const sent = (reached[0]?.target ?? '').split('?', 1)[0] ?? '';
        expect(canonicalizePath(sent)?.path, target).toBe(sent);
        const breach = [...readingsOf(sent)].find((reading) => isKeptFrom(reading, `${base}/admin`));
        expect(breach, `${target} was sent as ${sent}`).toBeUndefined();
      }

      for (const [status, least] of Object.entries(fewest)) {
        expect(statuses.get(Number(status)), `answers with ${status}`).toBeGreaterThan(least);
      }
    },
  );
});

/** Puts a prefix before the path of a target, be that in absolute form or not. */
function behind(prefix: string, target: string): string {
  return target.replace(/^(?:https?:\/\/[^/]*)?/i, (origin) => origin + prefix);
}

describe('the oracle itself', () => {
  it.each([
    '/public/../admin',
    '/public/%2e%2e/admin/x',
    '/public/%252e%252e/admin',
    '//admin',
    '/ADMIN/x',
    '/admin;a/x',
    '/x/..\\admin',
    '/x/..%5Cadmin',
    '/admin./x',
    '/admin%20',
    '/admin%23/x',
    '/admin%3Fx',
    '/admin%00.css',
    '/%C0%AE%C0%AE/admin',
    '/a/%25c0%25ae%25c0%25ae/admin',
    '/adm%C4%B1n',
  ])('sees that %j is under /admin', (path) => {
    expect([...readingsOf(path)].some((reading) => isUnder(reading, '/admin'))).toBe(true);
  });

  it.each(['/administrator', '/public/admin', '/public/a/..', '/public/%25252561dmin', '/any;/admin'])(
    'sees that %j is not',
    (path) => {
      expect([...readingsOf(path)].some((reading) => isUnder(reading, '/admin'))).toBe(false);
    },
  );
});
