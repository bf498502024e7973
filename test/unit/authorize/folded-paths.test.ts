import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createRouter } from '../../../src/authorize/find-route.ts';
import { readParameters } from '../../../src/authorize/route-index.ts';
import { isStricter } from '../../../src/authorize/strictness.ts';
import type { Route } from '../../../src/core/route.ts';
import { canonicalizePath } from '../../../src/listen/canonical-path.ts';
import { generatedCases } from '../../support/generated-cases.ts';
import { type Reading, referenceMatch, referenceMethod, templateOf } from '../../support/reference-routes.ts';
import { type RouteSketch, routes } from '../../support/routes.ts';

/**
 * The oracle of the router: upstreams that read paths in their own way, over generated tables and paths. What the router
 * lets through must not be served by any of them as something that a stricter rule protects; what none of them would
 * serve so must pass.
 */

const { timeout, ...parameters } = generatedCases(3_000);

const decode: Reading = (segment) => decodeURIComponent(segment);
const lower: Reading = (segment) => decode(segment).toLowerCase();
const trim: Reading = (segment) => {
  let text = decode(segment);
  while (/[. ]$/.test(text)) text = text.slice(0, -1);
  return text;
};
const UPSTREAMS: readonly Reading[] = [decode, lower, trim, (segment) => trim(lower(segment))];

const ADMINS = { groups: ['admins'] };
const WRITERS = { groups: ['writers'] };
const TEN = { by: 'address', requests: 10, per: '1m' } as const;
const text = fc.constantFrom('a', 'b', 'A', 'B', 'a.', '%C3%A9', '%C3%89', 'a%20');
const sketch: fc.Arbitrary<RouteSketch> = fc
  .record({
    segments: fc.array(
      fc.oneof({ weight: 3, arbitrary: text }, { weight: 1, arbitrary: fc.constant('{x}') }),
      {
        maxLength: 3,
      },
    ),
    end: fc.constantFrom('', '', '/', '/{p+}'),
    host: fc.constantFrom(undefined, undefined, 'one.test'),
    methods: fc.constantFrom<string[] | undefined>(undefined, undefined, ['GET'], ['POST']),
    allow: fc.constantFrom('public' as const, 'authenticated' as const, ADMINS, WRITERS),
    limit: fc.constantFrom<Partial<RouteSketch>>(
      ...[{}, {}, {}, { rateLimit: TEN }, { limits: { bodyBytes: 10 } }],
    ),
  })
  .map(({ segments, end, host, methods, allow, limit }) => ({
    path: `/${segments.map((part, i) => (part === '{x}' ? `{x${i}}` : part)).join('/')}${segments.length === 0 ? end.slice(1) : end}`,
    allow,
    ...limit,
    ...(host && { host }),
    ...(methods && { methods }),
  }));
const request = fc.record({
  host: fc.constantFrom('one.test', 'two.test'),
  method: fc.constantFrom('GET', 'POST'),
  path: fc
    .tuple(
      fc.array(fc.oneof(text, fc.constantFrom('a..', '%61', 'c')), { minLength: 1, maxLength: 4 }),
      fc.constantFrom('', '', '/'),
    )
    .map(([segments, end]) => `/${segments.join('/')}${end}`),
});

/** Whether an upstream with this reading would take the request for one that a stricter rule protects. */
function escapes(
  table: readonly Route[],
  route: Route,
  host: string,
  method: string,
  path: string,
  read: Reading,
): boolean {
  const found = referenceMatch(table, host, path, read);
  if (found === null) return false;
  const templates = Map.groupBy(found.routes, templateOf);
  const own = templateOf(route);
  return [...templates].some(([template, members]) => {
    if (template === own) return false;
    const other = referenceMethod(members, method);
    return other === null ? !templates.has(own) : isStricter(other, route);
  });
}

it('lets through exactly what no upstream reads as something stricter', { timeout }, () => {
  const seen = { refused: 0, passed: 0 };
  fc.assert(
    fc.property(
      fc.array(sketch, { minLength: 1, maxLength: 8 }),
      fc.array(request, { minLength: 1, maxLength: 10 }),
      (sketches, requests) => {
        const table = routes(sketches);
        const router = createRouter(table);
        for (const { host, method, path: raw } of requests) {
          const canonical = canonicalizePath(raw);
          if (canonical === null) throw new Error(`${raw} is refused before`);
          const found = router.find({ host, method, ...canonical });
          const literal = referenceMatch(table, host, canonical.path);
          const route = literal && referenceMethod(literal.routes, method);
          if (route === null) {
            expect('code' in found && found.code).toBe(
              literal === null ? 'ROUTE_NOT_FOUND' : 'ROUTE_METHOD_NOT_ALLOWED',
            );
            continue;
          }
          const escaping = UPSTREAMS.some((read) =>
            escapes(table, route, host, method, canonical.path, read),
          );
          seen[escaping ? 'refused' : 'passed'] += 1;
          if (escaping) expect(found).toEqual({ kind: 'deny', code: 'REQUEST_PATH_AMBIGUOUS' });
          else expect(found).toBe(route);
        }
      },
    ),
    parameters,
  );
  expect(seen.refused).toBeGreaterThan(parameters.numRuns / 20);
  expect(seen.passed).toBeGreaterThan(parameters.numRuns / 20);
});

/** What an upstream may do to a path before it looks for what it serves; undefined: it fails. */
type Step = (path: string) => string;
const STEPS: readonly Step[] = [
  (path) => decodeLatin(path),
  (path) => decodeLatin(decodeLatin(path)),
  (path) => path.replace(/%2f/gi, '/'),
  (path) => path.replace(/\/{2,}/g, '/'),
  (path) => path.replace(/;[^/]*/g, ''),
  (path) => path.replace(/;.*$/, ''),
  (path) => path.replace(/#.*$/, ''),
  (path) => path.replace(/\?.*$/, ''),
  (path) => path.replaceAll('\\', '/'),
  (path) => path.toLowerCase(),
  resolveDots,
];

/** Byte by byte, as the most careless do. */
function decodeLatin(path: string): string {
  return path.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function resolveDots(path: string): string {
  const resolved: string[] = [];
  for (const segment of path.split('/').slice(1)) {
    if (segment === '..') resolved.pop();
    else if (segment !== '.') resolved.push(segment);
  }
  return `/${resolved.join('/')}`;
}

it('lets nothing under a protected prefix by way of spellings that another route permits', {
  timeout,
}, () => {
  const table = routes([
    { path: '/files/{path+}', allow: 'public', permit: ['%2F', '%25', '%23', '%3F', ';', '//'] },
    { path: '/files/admin', allow: ADMINS },
    { path: '/files/admin/{path+}', allow: ADMINS },
    { path: '/admin', allow: ADMINS },
    { path: '/admin/{path+}', allow: ADMINS },
  ]);
  const router = createRouter(table);
  const token = fc.constantFrom(
    ...[
      'admin',
      'ADMIN',
      'files',
      'x',
      '.',
      '..',
      '/',
      '/',
      '//',
      ';',
      ';v=1',
      '%2F',
      '%2f',
      '%252F',
      '%25',
      '%2525',
    ],
    ...[
      '%23',
      '%2523',
      '%3F',
      '%253F',
      '%3B',
      '%253B',
      '%2E',
      '%252E',
      '%5C',
      '%255C',
      '%61',
      '%2561',
      '%20',
      '%00',
    ],
  );
  const path = fc.array(token, { maxLength: 8 }).map((tokens) => `/files/${tokens.join('')}`);
  const steps = fc.array(fc.constantFrom(...STEPS), { maxLength: 4 });
  let passed = 0;
  fc.assert(
    fc.property(path, fc.array(steps, { minLength: 10, maxLength: 10 }), (raw, upstreams) => {
      const canonical = canonicalizePath(raw);
      if (canonical === null) return;
      const found = router.find({ host: '', method: 'GET', ...canonical });
      if ('code' in found || found.rule.kind !== 'public') return;
      passed += 1;
      for (const upstream of upstreams) {
        const served = upstream.reduce((read, step) => step(read), canonical.path);
        expect(served.toLowerCase().replace(/\/+$/, ''), raw).not.toMatch(/^\/(files\/)?admin(\/|$)/);
      }
    }),
    { ...parameters, numRuns: parameters.numRuns * 3 },
  );
  expect(passed).toBeGreaterThan(parameters.numRuns / 20);
});

it('lets nobody into the folder of somebody else, whatever may be made of the path', { timeout }, () => {
  const allow = { claims: { username: '{username}' } };
  const permit: RouteSketch['permit'] = ['%2F', '%25', '%23', '%3F', ';', '//'];
  const router = createRouter(
    routes([
      { path: '/files/{username}/{key+}', allow, permit },
      { path: '/files/{username}', allow, permit },
      { path: '/{kind}/{username}/of', allow, permit },
    ]),
  );
  const token = fc.constantFrom(
    ...[
      'bob',
      'bob',
      'BOB',
      'x',
      'files',
      '.',
      '/',
      '/',
      '//',
      ';',
      ';v=1',
      '%2F',
      '%252F',
      '%25',
      '%20',
      '%2520',
    ],
    ...['%23', '%2523', '%3F', '%253F', '%3B', '%253B', '%2E', '%62ob', '%2562ob', '/of'],
  );
  const path = fc.array(token, { minLength: 1, maxLength: 8 }).map((tokens) => `/files/${tokens.join('')}`);
  const trimDots: Step = (text) => text.replace(/[. ]+(?=\/|$)/g, '');
  const steps = fc.array(fc.constantFrom(...STEPS, trimDots), { maxLength: 4 });
  const seen = { owner: 0, others: 0 };
  fc.assert(
    fc.property(path, fc.array(steps, { minLength: 10, maxLength: 10 }), (raw, upstreams) => {
      const canonical = canonicalizePath(raw);
      if (canonical === null) return;
      const found = router.find({ host: '', method: 'GET', ...canonical });
      if ('code' in found) return;
      // Whoever is let in is called so.
      const username = readParameters(found, canonical.path)['username'] ?? '';
      const isBob = username.toLowerCase() === 'bob';
      seen[isBob ? 'owner' : 'others'] += 1;
      if (isBob) return;
      for (const upstream of upstreams) {
        const served = upstream.reduce((read, step) => step(read), canonical.path);
        expect(served.toLowerCase().replace(/\/+$/, ''), `${username} by ${raw}`).not.toMatch(
          /^\/files\/bob(\/|$)/,
        );
      }
    }),
    { ...parameters, numRuns: parameters.numRuns * 3 },
  );
  expect(seen.owner).toBeGreaterThan(parameters.numRuns / 20);
  expect(seen.others).toBeGreaterThan(parameters.numRuns / 20);
});
