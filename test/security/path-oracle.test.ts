/**
 * An oracle instead of examples: whatever reaches the upstream for a caller without a token must not be, in any common
 * reading, a page that asks for one. The spellings are generated; the readings are in support/path-readings.ts.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canonicalizePath } from '../../src/listen/canonical-path.ts';
import { attack, SHAPES, untilIdle } from '../support/attack.ts';
import { generatedCases } from '../support/generated-cases.ts';
import { isUnder, readingsOf } from '../support/path-readings.ts';
import { spellPath } from '../support/path-spellings.ts';
import { type ProxyConfig, type ProxyUnderTest, startProxy } from '../support/proxy.ts';
import { createSeededRandom } from '../support/seeded-random.ts';

const CASES = { request: generatedCases(5_000), upgrade: generatedCases(1_500) };

/** Answers of each kind that the corpus must bring about at least, to be worth something. */
const FEWEST = { 200: 100, 400: 1_000, 401: 10 };

const PROTECTED: ProxyConfig['routes'] = [
  { id: 'admin', match: { path: '/admin' }, allow: 'authenticated', upstream: 'board' },
  { id: 'admin-below', match: { path: '/admin/{path+}' }, allow: { groups: ['admins'] }, upstream: 'board' },
];
const PERMITTED = ['%2F', '%25', '%23', '%3F', ';', '//'] as const;

const LAYOUTS: readonly { readonly name: string; readonly routes: ProxyConfig['routes'] }[] = [
  {
    name: 'beside open routes, one of which permits every spelling that can be permitted',
    routes: [
      ...PROTECTED,
      { id: 'open', match: { path: '/public/{path+}' }, allow: 'public', upstream: 'board' },
      {
        id: 'any',
        match: { path: '/any/{path+}', permit: [...PERMITTED] },
        allow: 'public',
        upstream: 'board',
      },
    ],
  },
  {
    name: 'beside an open catch-all',
    routes: [...PROTECTED, { id: 'rest', match: { path: '/{path+}' }, allow: 'public', upstream: 'board' }],
  },
  {
    name: 'beside an open catch-all that permits every spelling that can be permitted',
    routes: [
      ...PROTECTED,
      {
        id: 'rest',
        match: { path: '/{path+}', permit: [...PERMITTED] },
        allow: 'public',
        upstream: 'board',
      },
    ],
  },
];

describe.each(LAYOUTS)('a protected prefix $name', ({ routes }) => {
  let proxy: ProxyUnderTest;

  beforeAll(async () => {
    proxy = await startProxy({ routes, log: { level: 'silent' } });
  });
  afterAll(async () => {
    await untilIdle(proxy);
    await proxy.stop();
  });

  it.each(SHAPES)(
    'is never reached without a token, by %s',
    { timeout: CASES.request.timeout },
    async (shape) => {
      const { numRuns, seed } = CASES[shape];
      const random = createSeededRandom(seed);
      const statuses = new Map<number, number>();
      const spellings = new Set<string>();
      while (spellings.size < numRuns) spellings.add(spellPath(random));

      for (const target of spellings) {
        const { response, reached } = await attack(proxy, shape, target);
        statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
        if (reached.length === 0) {
          expect([400, 401, 404], target).toContain(response.status);
          continue;
        }
        expect(response.status, target).toBe(200);
        expect(reached, target).toHaveLength(1);
        const sent = (reached[0]?.target ?? '').split('?', 1)[0] ?? '';
        expect(canonicalizePath(sent)?.path, target).toBe(sent);
        const breach = [...readingsOf(sent)].find((reading) => isUnder(reading, '/admin'));
        expect(breach, `${target} was sent as ${sent}`).toBeUndefined();
      }

      for (const [status, fewest] of Object.entries(FEWEST)) {
        expect(statuses.get(Number(status)), `answers with ${status}`).toBeGreaterThan(fewest);
      }
    },
  );
});

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
