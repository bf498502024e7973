import { describe, expect, it } from 'vitest';
import { findOpenings } from '../../../src/authorize/find-openings.ts';
import { hasStricterRule } from '../../../src/authorize/strictness.ts';
import type { Route } from '../../../src/core/route.ts';
import { generatedCases } from '../../support/generated-cases.ts';
import { referenceMatch, referenceMethod } from '../../support/reference-routes.ts';
import { type RouteSketch, routes } from '../../support/routes.ts';
import { createSeededRandom, type SeededRandom } from '../../support/seeded-random.ts';

const UPSTREAMS = { board: { url: 'http://board.test' }, wiki: { url: 'http://board.test' } };
const ADMINS = { groups: ['admins'] };
const WRITERS = { groups: ['writers'] };

/** `METHOD path -> what is sent: who lets it in, and whose it is by which path`. */
function openings(sketches: readonly RouteSketch[], enforce = true): string[] {
  return [...findOpenings(routes(sketches, { upstreams: UPSTREAMS, enforce }))].map(
    ({ route, other, method, path, sent, otherPath }) =>
      `${method} ${path} -> ${sent}: ${route.id}, ${other.id} ${otherPath}`,
  );
}

/** A route that strips the first segment of its path. */
const strip = (path: string, more: Partial<RouteSketch> = {}): RouteSketch => ({
  path,
  allow: 'public',
  rewrite: { stripPrefix: path.split('/').slice(0, 2).join('/') },
  ...more,
});
const admins = (path: string, more: Partial<RouteSketch> = {}): RouteSketch => ({
  path,
  allow: ADMINS,
  ...more,
});

describe('a route that strips a prefix', () => {
  it.each<readonly [string, RouteSketch[], string[]]>([
    [
      'greedy, over a whole folder',
      [strip('/open/{p+}'), admins('/admin/{p+}')],
      ['GET /open/admin/x -> /admin/x: r0, r1 /admin/x'],
    ],
    [
      'in any order',
      [admins('/admin/{p+}'), strip('/open/{p+}')],
      ['GET /open/admin/x -> /admin/x: r1, r0 /admin/x'],
    ],
    [
      'beside another that strips',
      [strip('/v1/{p+}'), strip('/v2/{p+}', { allow: ADMINS })],
      ['GET /v1/x -> /x: r0, r1 /v2/x'],
    ],
    [
      'beside two that strip the same, each once',
      [strip('/v1/{p+}'), strip('/v2/{p+}', { allow: ADMINS }), strip('/v3/{p+}', { allow: WRITERS })],
      ['GET /v1/x -> /x: r0, r1 /v2/x', 'GET /v1/x -> /x: r0, r2 /v3/x', 'GET /v2/x -> /x: r1, r2 /v3/x'],
    ],
    [
      'with other conditions, told from one side only',
      [strip('/v1/{p+}', { allow: ADMINS }), strip('/v2/{p+}', { allow: WRITERS })],
      ['GET /v1/x -> /x: r0, r1 /v2/x'],
    ],
    ['a parameter over static text', [strip('/v/{id}'), admins('/a')], ['GET /v/a -> /a: r0, r1 /a']],
    ['static text under a parameter', [strip('/v/a'), admins('/{id}')], ['GET /v/a -> /a: r0, r1 /a']],
    [
      'two parameters, in a segment that is free',
      [strip('/v/{id}/x'), admins('/{id}/x')],
      ['GET /v/x1/x -> /x1/x: r0, r1 /x1/x'],
    ],
    ['parameters that cross', [strip('/v/{id}/b'), admins('/a/{id}')], ['GET /v/a/b -> /a/b: r0, r1 /a/b']],
    ['nothing left of the path', [strip('/v'), admins('/')], ['GET /v -> /: r0, r1 /']],
    ['only a slash left', [strip('/v/'), admins('/')], ['GET /v/ -> /: r0, r1 /']],
    [
      'a whole service, where one path is more specific',
      [strip('/v/{p+}'), admins('/{p+}'), { path: '/{id}', allow: 'public' }],
      ['GET /v/x/x -> /x/x: r0, r1 /x/x'],
    ],
    [
      'for a method that both have',
      [strip('/v/{p+}', { methods: ['GET', 'PUT'] }), admins('/a', { methods: ['POST', 'PUT'] })],
      ['PUT /v/a -> /a: r0, r1 /a'],
    ],
    [
      'for HEAD, which follows GET',
      [strip('/v/{p+}', { methods: ['HEAD'] }), admins('/a', { methods: ['GET'] })],
      ['HEAD /v/a -> /a: r0, r1 /a'],
    ],
    [
      'for a method nobody knows',
      [strip('/v/{p+}', { methods: ['PURGE'] }), admins('/a')],
      ['PURGE /v/a -> /a: r0, r1 /a'],
    ],
    [
      'on another host',
      [strip('/v/{p+}', { host: 'a.test' }), admins('/a', { host: 'b.test' })],
      ['GET /v/a -> /a: r0, r1 /a'],
    ],
    [
      'with the same rule, which is not enforced',
      [strip('/v/{p+}', { allow: ADMINS, enforce: false }), admins('/a')],
      ['GET /v/a -> /a: r0, r1 /a'],
    ],
  ])('is told: %s', (_, sketches, expected) => {
    expect(openings(sketches)).toEqual(expected);
  });

  it.each<readonly [string, RouteSketch[]]>([
    ['the same rule', [strip('/open/{p+}', { allow: ADMINS }), admins('/admin/{p+}')]],
    ['a stricter rule', [strip('/v/{p+}', { allow: ADMINS }), { path: '/posts/{p+}' }]],
    ['another upstream', [strip('/open/{p+}', { upstream: 'wiki' }), admins('/admin/{p+}')]],
    ['other paths', [strip('/v/a/{p+}'), admins('/b/{p+}')]],
    ['fewer segments', [strip('/v/{id}'), admins('/a/{p+}')]],
    ['more segments', [strip('/v/a/{p+}'), admins('/{id}')]],
    ['an empty segment, which no parameter matches', [strip('/v/{p+}'), admins('/')]],
    [
      'no method in common',
      [strip('/v/{p+}', { methods: ['GET'] }), admins('/a', { methods: ['POST', 'PUT'] })],
    ],
    [
      'GET, where HEAD has a route of its own',
      [
        strip('/v/{p+}', { methods: ['HEAD'] }),
        admins('/a', { methods: ['GET'] }),
        { path: '/a', methods: ['HEAD'], allow: 'public' },
      ],
    ],
    // Everybody is sent by way of the more specific one: nobody is let in by the other rule.
    ['an exception of a protected service', [strip('/api/{p+}', { allow: ADMINS }), strip('/api/health')]],
    [
      'an exception for one method',
      [strip('/api/a', { methods: ['GET'] }), strip('/api/a', { allow: ADMINS })],
    ],
    ['an own, stricter route for it', [strip('/v/{p+}'), strip('/v/a', { allow: ADMINS }), admins('/a')]],
    ['what is open as well', [strip('/v/a'), admins('/{p+}'), { path: '/{id}', allow: 'public' }]],
    ['no prefix', [{ path: '/{p+}', allow: 'public' }, strip('/v/{p+}', { allow: ADMINS })]],
    [
      'neither enforced',
      [strip('/v/{p+}', { allow: ADMINS, enforce: false }), admins('/a', { enforce: false })],
    ],
  ])('is not told: %s', (_, sketches) => {
    expect(openings(sketches)).toEqual([]);
  });
});

describe('generated routes', () => {
  const { numRuns, seed, timeout } = generatedCases(1500);

  it('are told of as if every path had been tried', { timeout }, () => {
    const random = createSeededRandom(seed);
    let told = 0;
    for (let run = 0; run < numRuns; run += 1) {
      const table = routes(Array.from({ length: 2 + random.below(5) }, () => sketchOf(random)));
      const found = new Set([...findOpenings(table)].map(({ route, other }) => pairOf(route, other)));
      expect(found, describeTable(table)).toEqual(byTrying(table));
      told += found.size;
    }
    expect(told).toBeGreaterThan(numRuns / 2);
  });

  const TEXTS = ['a', 'b'];
  const METHODS = [['GET'], ['HEAD', 'POST'], undefined, undefined];

  function sketchOf(random: SeededRandom): RouteSketch {
    const parts = Array.from({ length: 1 + random.below(2) }, (_, i) =>
      random.chance(60) ? random.pick(TEXTS) : `{p${i}}`,
    );
    if (random.chance(30)) parts.push('{rest+}');
    const path = `/${parts.join('/')}`;
    const statics = parts.findIndex((part) => part.startsWith('{'));
    const most = statics === -1 ? parts.length : statics;
    const prefix = most > 0 && random.chance(60) ? parts.slice(0, 1 + random.below(most)) : [];
    return {
      path,
      methods: random.pick(METHODS),
      allow: random.pick(['public', 'authenticated', ADMINS, WRITERS] as const),
      ...(prefix.length > 0 && { rewrite: { stripPrefix: `/${prefix.join('/')}` } }),
    };
  }

  // Long enough for the longest prefix before the longest template.
  const PATHS = ['/', ...pathsOf(1), ...pathsOf(2), ...pathsOf(3), ...pathsOf(4), ...pathsOf(5)];

  function pathsOf(length: number): string[] {
    const shorter = length === 1 ? [''] : pathsOf(length - 1);
    return shorter.flatMap((path) => [...TEXTS, 'x'].map((text) => `${path}/${text}`));
  }

  /** By what is asked of the upstream: which routes let it in. */
  function byTrying(table: readonly Route[]): Set<string> {
    const reaching = new Map<string, Set<Route>>();
    for (const path of PATHS) {
      const set = referenceMatch(table, '', path)?.routes;
      if (set === undefined) continue;
      for (const method of ['GET', 'HEAD', 'POST', 'PUT']) {
        const route = referenceMethod(set, method);
        if (route === null) continue;
        const asked = `${method} ${path.slice(route.stripPrefix?.length ?? 0) || '/'}`;
        reaching.set(asked, (reaching.get(asked) ?? new Set()).add(route));
      }
    }
    const pairs = new Set<string>();
    for (const found of reaching.values()) {
      for (const route of found) {
        if (route.stripPrefix === null) continue;
        for (const other of found) if (hasStricterRule(other, route)) pairs.add(pairOf(route, other));
      }
    }
    return pairs;
  }

  function describeTable(table: readonly Route[]): string {
    return table
      .map(
        ({ id, methods, template, rule, stripPrefix }) =>
          `${id} ${methods === null ? 'any' : [...methods]} ${template} ${rule.kind} -${stripPrefix}`,
      )
      .join('\n');
  }

  /** Two that are open to each other's callers are one pair. */
  function pairOf(route: Route, other: Route): string {
    const ids = [route.id, other.id];
    const mutual = other.stripPrefix !== null && hasStricterRule(route, other);
    return (mutual ? ids.sort() : ids).join(' ');
  }
});

describe('thousands of routes', () => {
  const many = (sketch: (i: number) => RouteSketch[]): RouteSketch[] =>
    Array.from({ length: 2500 }, (_, i) => sketch(i)).flat();

  it.each<readonly [string, RouteSketch[], number]>([
    ['all alike', many((i) => [strip(`/a${i}/{p+}`), strip(`/b${i}/{p+}`)]), 0],
    [
      'of many paths',
      many((i) => [strip(`/a${i}/{p+}`, { allow: ADMINS }), strip(`/b${i}/c${i}`, { allow: ADMINS })]),
      0,
    ],
    [
      'each with a folder of its own that is protected',
      many((i) => [strip(`/a${i}/{p+}`), strip(`/a${i}/admin/{p+}`, { allow: ADMINS })]),
      0,
    ],
    ['all open to all', many((i) => [strip(`/a${i}/{p+}`), strip(`/b${i}/{p+}`, { allow: ADMINS })]), 11],
  ])('do not take long: %s', (_, sketches, expected) => {
    const table = routes(sketches);
    const start = performance.now();
    let found = 0;
    for (const _opening of findOpenings(table)) {
      found += 1;
      if (found === 11) break;
    }
    expect(found).toBe(expected);
    // Comparing each with each takes many times that.
    expect(performance.now() - start).toBeLessThan(2000);
  });
});
