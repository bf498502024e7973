import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  allowedMethods,
  indexRoutes,
  readParameters,
  routeForMethod,
} from '../../../src/authorize/route-index.ts';
import { referenceMatch, referenceMethod } from '../../support/reference-routes.ts';
import { type RouteSketch, route, routes } from '../../support/routes.ts';

/** The ids of the routes whose template a path matches. */
function find(sketches: readonly RouteSketch[], path: string, host = 'api.example.com'): string {
  const set = indexRoutes(routes(sketches)).find(host, path);
  return set === undefined ? 'none' : set.map(({ template, host: at }) => `${at ?? ''}${template}`).join(' ');
}

describe('a template', () => {
  it.each([
    ['/', '/', true],
    ['/', '/a', false],
    ['/posts', '/posts', true],
    ['/posts', '/posts/', false],
    ['/posts', '/Posts', false],
    ['/posts', '/post', false],
    ['/posts', '/posts/1', false],
    ['/posts/', '/posts/', true],
    ['/posts/', '/posts', false],
    ['/posts/{id}', '/posts/1', true],
    ['/posts/{id}', '/posts/', false],
    ['/posts/{id}', '/posts', false],
    ['/posts/{id}', '/posts/1/', false],
    ['/posts/{id}', '/posts/1/2', false],
    ['/posts/{id}', '/posts/a%20b', true],
    ['/posts/{id}/', '/posts/1/', true],
    ['/{a}', '/', false],
    ['/{a}', '/x', true],
    ['/{a}/{b}', '/x/y', true],
    ['/{a}/{b}', '/x', false],
    ['/{proxy+}', '/', false],
    ['/{proxy+}', '/a', true],
    ['/{proxy+}', '/a/', true],
    ['/{proxy+}', '/a/b/c', true],
    ['/posts/{proxy+}', '/posts', false],
    ['/posts/{proxy+}', '/posts/', false],
    ['/posts/{proxy+}', '/posts/1', true],
    ['/posts/{proxy+}', '/posts/1/2/3/', true],
    ['/posts/{proxy+}', '/postsx/1', false],
    ['/caf%c3%a9', '/caf%C3%A9', true],
    ['/café', '/caf%C3%A9', true],
    ['/a b', '/a%20b', true],
    ['/%61dmin', '/admin', true],
    ['/a(b)', '/a(b)', true],
    ['/{name}.json', '/x.json', false],
    ['/__proto__', '/__proto__', true],
    ['/{a}', '/__proto__', true],
    ['/a', '/constructor', false],
  ])('%s takes %s: %s', (path, requested, expected) => {
    expect(find([{ path }], requested) !== 'none').toBe(expected);
  });
});

describe('of several templates', () => {
  const any = { path: '/{proxy+}' };

  it.each<readonly [string, readonly RouteSketch[], string, string]>([
    ['static text before a parameter', [{ path: '/{a}' }, { path: '/a' }], '/a', '/a'],
    ['a parameter before a greedy one', [any, { path: '/{a}' }], '/a', '/{a}'],
    ['static text before a greedy one', [any, { path: '/a/b' }], '/a/b', '/a/b'],
    ['the first difference counts', [{ path: '/{x}/b' }, { path: '/a/{y}' }], '/a/b', '/a/{y}'],
    [
      'a longer static beginning before a parameter',
      [{ path: '/{x}/b/c' }, { path: '/a/{y+}' }],
      '/a/b/c',
      '/a/{y+}',
    ],
    [
      'back to the parameter where static text leads nowhere',
      [{ path: '/a/b' }, { path: '/{x}/c' }],
      '/a/c',
      '/{x}/c',
    ],
    [
      'back to the greedy one where a parameter leads nowhere',
      [any, { path: '/{x}/b' }],
      '/a/c',
      '/{proxy+}',
    ],
    [
      'back over several segments',
      [{ path: '/a/{p+}' }, { path: '/a/b/c/d' }, { path: '/a/b/{x}/e' }],
      '/a/b/c/f',
      '/a/{p+}',
    ],
    ['the nearer greedy one', [any, { path: '/a/{p+}' }, { path: '/a/b/{p+}' }], '/a/b/c', '/a/b/{p+}'],
    ['a greedy one takes nothing less than a segment', [any, { path: '/a/{p+}' }], '/a/', '/{proxy+}'],
    ['none', [{ path: '/a/b' }, { path: '/{x}/c/{y}' }], '/b/d', 'none'],
  ])('%s', (_, sketches, path, expected) => {
    expect(find(sketches, path)).toBe(expected);
    expect(find([...sketches].reverse(), path)).toBe(expected);
  });

  it.each<readonly [string, string, string, string]>([
    [
      'the exact host before any, even where that one is more exact',
      'api.example.com',
      '/a',
      'api.example.com/{p+}',
    ],
    ['any host where the exact one has nothing', 'api.example.com', '/', '/'],
    ['any host for another one', 'www.example.com', '/a', '/a'],
    ['any host for one that only ends alike', 'evilapi.example.com', '/a', '/a'],
    ['any host for one that only begins alike', 'api.example.com.evil.test', '/a', '/a'],
    ['any host for none', '', '/a', '/a'],
    ['any host for __proto__', '__proto__', '/a', '/a'],
  ])('%s', (_, host, path, expected) => {
    const sketches = [{ path: '/a' }, { path: '/' }, { host: 'API.example.com', path: '/{p+}' }];
    expect(find(sketches, path, host)).toBe(expected);
  });
});

describe('methods', () => {
  const set = (sketches: readonly RouteSketch[]) => {
    const found = indexRoutes(routes(sketches)).find('', '/a');
    if (found === undefined) throw new Error('no route');
    return found;
  };
  const sketches = (...methods: (string[] | undefined)[]): RouteSketch[] =>
    methods.map((some) => ({ path: '/a', ...(some && { methods: some }) }));

  it.each<readonly [string, RouteSketch[], string, string | null]>([
    ['that is named', sketches(['GET'], ['POST']), 'POST', 'r1'],
    ['that nobody names', sketches(['GET'], ['POST']), 'PUT', null],
    ['that nobody names, where one route takes any', sketches(['GET'], undefined), 'PUT', 'r1'],
    ['that is named, before one for any', sketches(undefined, ['PUT']), 'PUT', 'r1'],
    ['HEAD, which follows GET', sketches(['GET'], ['POST']), 'HEAD', 'r0'],
    ['HEAD, which follows GET before any', sketches(undefined, ['GET']), 'HEAD', 'r1'],
    ['HEAD, which is named', sketches(['GET'], ['HEAD']), 'HEAD', 'r1'],
    ['HEAD, where nobody names GET', sketches(['POST']), 'HEAD', null],
    ['GET, which does not follow HEAD', sketches(['HEAD']), 'GET', null],
    ['in small letters, which is another', sketches(['GET']), 'get', null],
    ['constructor', sketches(['GET']), 'constructor', null],
  ])('%s', (_, table, method, expected) => {
    expect(routeForMethod(set(table), method)?.id ?? null).toBe(expected);
  });

  it.each<readonly [RouteSketch[], readonly string[]]>([
    [sketches(['POST'], ['DELETE', 'PUT']), ['DELETE', 'POST', 'PUT']],
    [sketches(['POST', 'GET']), ['GET', 'HEAD', 'POST']],
    [sketches(['HEAD']), ['HEAD']],
  ])('allowed: %#', (table, expected) => {
    expect(allowedMethods(set(table))).toEqual(expected);
  });

  it('are of the template, whatever its parameters are called', () => {
    const table = routes([
      { path: '/{a}', methods: ['GET'] },
      { path: '/{b}', methods: ['POST'] },
    ]);
    const found = indexRoutes(table).find('', '/x');
    expect(found).toEqual(table);
    expect(found && allowedMethods(found)).toEqual(['GET', 'HEAD', 'POST']);
  });
});

describe('readParameters', () => {
  it.each<readonly [string, string, Record<string, string>]>([
    ['/posts', '/posts', {}],
    ['/users/{id}', '/users/alice', { id: 'alice' }],
    ['/users/{id}/posts/{post}', '/users/alice/posts/7', { id: 'alice', post: '7' }],
    ['/users/{id}', '/users/a%20b', { id: 'a b' }],
    ['/users/{id}', '/users/%E3%83%A6%E3%83%BC%E3%82%B6%E3%83%BC', { id: 'ユーザー' }],
    ['/users/{id}', '/users/%F0%9F%98%80', { id: '😀' }],
    ['/users/{id}', '/users/a+b', { id: 'a+b' }],
    ['/users/{id}', '/users/a%2Fb', { id: 'a/b' }],
    ['/users/{id}', '/users/a%252Fb', { id: 'a%2Fb' }],
    ['/users/{id}', '/users/a;b', { id: 'a;b' }],
    ['/files/{path+}', '/files/a/b%20c/', { path: 'a/b c/' }],
    ['/{tenant}/files/{path+}', '/t/files/a', { tenant: 't', path: 'a' }],
    ['/{__proto__}', '/x', Object.fromEntries([['__proto__', 'x']])],
  ])('%s of %s', (path, requested, expected) => {
    const parameters = readParameters(route({ path }), requested);
    expect(Object.entries(parameters)).toEqual(Object.entries(expected));
    expect(Object.getPrototypeOf(parameters)).toBeNull();
  });

  it('gives back what was put into the path', () => {
    const value = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => text.isWellFormed());
    fc.assert(
      fc.property(value, value, (first, second) => {
        const path = `/a/${encodeURIComponent(first)}/b/${encodeURIComponent(second)}`;
        expect({ ...readParameters(route({ path: '/a/{x}/b/{y}' }), path) }).toEqual({ x: first, y: second });
      }),
      { seed: 1, numRuns: 200 },
    );
  });
});

describe('the index', () => {
  const text = fc.constantFrom('a', 'b', 'c', 'd');
  const template = fc
    .tuple(
      fc.array(fc.oneof(text, fc.constantFrom('{x}', '{y}')), { maxLength: 4 }),
      fc.constantFrom('', '', '/', '/{p+}'),
    )
    .map(([segments, end]) => {
      // A name may occur once in a template; which one it is makes no difference here.
      const parts = segments.map((segment, i) => (segment.startsWith('{') ? `{p${i}}` : segment));
      return `/${parts.join('/')}${parts.length === 0 ? end.slice(1) : end}`;
    });
  const sketch: fc.Arbitrary<RouteSketch> = fc
    .record({
      path: template,
      host: fc.constantFrom(undefined, undefined, 'one.test', 'two.test'),
      methods: fc.constantFrom<string[] | undefined>(undefined, ['GET'], ['POST'], ['GET', 'POST'], ['HEAD']),
    })
    .map(({ path, host, methods }) => ({ path, ...(host && { host }), ...(methods && { methods }) }));
  const request = fc.record({
    host: fc.constantFrom('one.test', 'two.test', 'three.test'),
    method: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT'),
    path: fc
      .tuple(fc.array(text, { maxLength: 6 }), fc.constantFrom('', '', '/'))
      .map(([segments, end]) => `/${segments.join('/')}${segments.length === 0 ? '' : end}`),
  });

  it('finds what holding every template against the path finds', () => {
    let found = 0;
    fc.assert(
      fc.property(
        fc.array(sketch, { minLength: 1, maxLength: 12 }),
        fc.array(request, { minLength: 1, maxLength: 20 }),
        (sketches, requests) => {
          const table = routes(sketches);
          const index = indexRoutes(table);
          for (const { host, path, method } of requests) {
            const expected = referenceMatch(table, host, path);
            const actual = index.find(host, path);
            expect(actual ?? null, `${host}${path}`).toEqual(expected?.routes ?? null);
            if (actual === undefined || expected === null) continue;
            found += 1;
            expect(routeForMethod(actual, method)).toBe(referenceMethod(expected.routes, method));
            for (const each of actual) expect(index.setOf(each)).toBe(actual);
          }
        },
      ),
      { seed: 1, numRuns: 500 },
    );
    expect(found).toBeGreaterThan(1_000);
  });
});
