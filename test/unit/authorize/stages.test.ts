import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { createAuthorizeStage } from '../../../src/authorize/authorize-stage.ts';
import { compileCors } from '../../../src/authorize/cors.ts';
import { createRouter } from '../../../src/authorize/find-route.ts';
import { createRouteStage } from '../../../src/authorize/route-stage.ts';
import { cors } from '../../../src/config/schema/routes.ts';
import type { Inbound } from '../../../src/core/inbound.ts';
import { deny } from '../../../src/core/refusal.ts';
import { exchange } from '../../support/exchange.ts';
import { principal } from '../../support/principal.ts';
import { route, routes } from '../../support/routes.ts';

const APP = 'https://app.example.com';
const GLOBAL = { origins: [APP], methods: ['GET'] };
const OWN = { origins: ['https://own.example.com'], methods: ['PUT'] };
const preflight = (method: string, origin = APP): string[] => [
  ...['origin', origin],
  ...['access-control-request-method', method],
];

type CorsInput = z.input<typeof cors>;

function stage(config: CorsInput) {
  const table = routes(
    [
      { id: 'read', path: '/posts', methods: ['GET'] },
      { id: 'write', path: '/posts', methods: ['PUT'], cors: OWN },
      {
        id: 'passed',
        path: '/passed',
        methods: ['GET', 'PUT'],
        cors: 'upstream',
        forwardToken: true,
        rateLimit: { by: 'address', requests: 1, per: '1s' },
      },
      { id: 'none', path: '/none', cors: null },
      { id: 'options', path: '/options', methods: ['OPTIONS'], cors: null },
      { id: 'asked', path: '/both', methods: ['GET'], allow: 'public', cors: 'upstream' },
      { id: 'named', path: '/both', methods: ['OPTIONS'], allow: { groups: 'admins' }, cors: 'upstream' },
      { id: 'itself', path: '/itself', methods: ['GET', 'OPTIONS'], cors: 'upstream' },
      { id: 'lower', path: '/docs', methods: ['GET'], allow: 'public' },
      { id: 'capital', path: '/Docs', methods: ['POST'], allow: { groups: 'admins' } },
      { id: 'upper', path: '/admin', allow: { groups: 'admins' } },
      { id: 'rest', path: '/{proxy+}', methods: ['GET'], allow: 'public' },
    ],
    { cors: config },
  );
  return createRouteStage(createRouter(table), compileCors(cors.parse(config)));
}

describe('the route stage', () => {
  it('finds the route', () => {
    const made = exchange({ path: '/posts' });
    expect(stage(null).run(made)).toBeUndefined();
    expect(made.route?.id).toBe('read');
    expect(made.answerHeaders).toEqual([]);
  });

  it.each<readonly [string, string, string, string[], CorsInput, number, string | null, string[]]>([
    ['by the policy of all', 'OPTIONS', '/posts', preflight('GET'), GLOBAL, 204, 'read', [APP]],
    [
      "by the route's own policy",
      'OPTIONS',
      '/posts',
      preflight('PUT', 'https://own.example.com'),
      GLOBAL,
      204,
      'write',
      ['https://own.example.com'],
    ],
    [
      "by the route's own policy, for an origin of the other",
      'OPTIONS',
      '/posts',
      preflight('PUT'),
      GLOBAL,
      204,
      'write',
      [],
    ],
    ['for HEAD, which follows GET', 'OPTIONS', '/posts', preflight('HEAD'), GLOBAL, 204, 'read', [APP]],
    ['by nobody, when there is no policy', 'OPTIONS', '/posts', preflight('GET'), null, 405, null, []],
    ['by nobody, when the route wants none', 'OPTIONS', '/none', preflight('GET'), GLOBAL, 0, 'none', []],
    [
      'as a request, when the route is for OPTIONS',
      'OPTIONS',
      '/options',
      preflight('GET'),
      GLOBAL,
      0,
      'options',
      [],
    ],
    [
      'as a refusal, for a method that no route has',
      'OPTIONS',
      '/posts',
      preflight('DELETE'),
      GLOBAL,
      405,
      null,
      [APP],
    ],
    ['as a refusal, where no route is', 'OPTIONS', '/', preflight('GET'), GLOBAL, 404, null, [APP]],
    [
      'as a refusal, where the path is ambiguous',
      'OPTIONS',
      '/Admin',
      preflight('GET'),
      GLOBAL,
      405,
      null,
      [APP],
    ],
    [
      'as a request, when it is OPTIONS alone',
      'OPTIONS',
      '/posts',
      ['origin', APP],
      GLOBAL,
      405,
      null,
      [APP],
    ],
  ])('answers preflights %s', (_, method, path, headers, config, expected, id, origins) => {
    const made = exchange({ method, path, headers });
    const verdict = stage(config).run(made) as { kind: string; status?: number; code?: string } | undefined;
    const statuses: Record<string, number> = { ROUTE_METHOD_NOT_ALLOWED: 405, ROUTE_NOT_FOUND: 404 };
    expect(verdict === undefined ? 0 : (verdict.status ?? statuses[verdict.code ?? ''])).toBe(expected);
    expect(made.route?.id ?? null).toBe(id);
    const allowed = made.answerHeaders.flatMap((name, i) =>
      name === 'access-control-allow-origin' ? [made.answerHeaders[i + 1]] : [],
    );
    expect(allowed).toEqual(origins);
  });

  it('passes preflights to upstreams that answer them, judged by no rule and not counted', () => {
    const made = exchange({ method: 'OPTIONS', path: '/passed', headers: preflight('PUT') });
    expect(stage(GLOBAL).run(made)).toBeUndefined();
    expect(made.route).toMatchObject({
      id: 'passed',
      rule: { kind: 'public' },
      rateLimit: null,
      forwardToken: true,
    });
    expect(made.answerHeaders).toEqual([]);
  });

  it.each<readonly [string, string, string[]]>([
    ['the request itself', 'PUT', ['origin', APP]],
    ['OPTIONS that is no preflight', 'OPTIONS', ['origin', APP]],
    ['GET that pretends to be one', 'GET', preflight('PUT')],
  ])('passes nothing else so: %s', (_, method, headers) => {
    const made = exchange({ method, path: '/passed', headers });
    stage(GLOBAL).run(made);
    expect(made.route?.rule.kind ?? 'refused').not.toBe('public');
  });

  it.each<readonly [string, string, string, Partial<Inbound>, string]>([
    ['one with a body', '/passed', 'PUT', { contentLength: 1 }, 'ROUTE_METHOD_NOT_ALLOWED'],
    [
      'one with a body of unknown length',
      '/passed',
      'PUT',
      { contentLength: -1 },
      'ROUTE_METHOD_NOT_ALLOWED',
    ],
    ['one for which another route names OPTIONS', '/both', 'GET', {}, 'named'],
    ['one that asks about OPTIONS itself', '/both', 'OPTIONS', {}, 'named'],
    ['one whose route names OPTIONS too', '/itself', 'GET', {}, 'itself'],
    ['one that may be read as what another names', '/Both', 'GET', {}, 'ROUTE_METHOD_NOT_ALLOWED'],
  ])('judges %s', (_, path, asked, changes, expected) => {
    const made = exchange({ method: 'OPTIONS', path, headers: preflight(asked), ...changes });
    const verdict = stage('upstream').run(made) as { code?: string } | undefined;
    expect(verdict?.code ?? made.route?.id).toBe(expected);
    expect(made.route?.rule.kind ?? 'refused').not.toBe('public');
  });

  it.each([
    ['/passed', 'passed'],
    ['/Passed-on', 'rest'],
    ['/other/', 'rest'],
    // Another spelling of it is for other methods only, as it is for the request itself.
    ['/docs', 'lower'],
  ])('passes a preflight for %s all the same', (path, id) => {
    const made = exchange({ method: 'OPTIONS', path, headers: preflight('GET') });
    expect(stage('upstream').run(made)).toBeUndefined();
    expect(made.route).toMatchObject({ id, rule: { kind: 'public' } });
  });

  it('passes a preflight only where the method it asks about has a route', () => {
    const made = exchange({ method: 'OPTIONS', path: '/passed', headers: preflight('DELETE') });
    expect(stage(null).run(made)).toMatchObject({ code: 'ROUTE_METHOD_NOT_ALLOWED' });
    expect(made.route).toBeNull();
  });

  it('puts the headers on ordinary answers, refused or not', () => {
    const good = exchange({ path: '/posts', headers: ['origin', APP] });
    stage(GLOBAL).run(good);
    expect(good.answerHeaders).toEqual(['vary', 'Origin', 'access-control-allow-origin', APP]);
    const bad = exchange({ path: '/Admin', headers: ['origin', APP] });
    expect(stage(GLOBAL).run(bad)).toMatchObject({ code: 'REQUEST_PATH_AMBIGUOUS' });
    expect(bad.answerHeaders).toEqual(['vary', 'Origin', 'access-control-allow-origin', APP]);
  });
});

describe('the authorize stage', () => {
  const allow = { claims: { username: '{id}' } };
  const unlimited = (): never => {
    throw new Error('nothing is to be counted');
  };

  it('reads the parameters that the rule needs', () => {
    const made = exchange({ path: '/users/alice' }, route({ path: '/users/{id}', allow }));
    made.principal = principal({ username: 'alice' });
    expect(createAuthorizeStage(unlimited).run(made)).toBeUndefined();
    expect({ ...made.parameters }).toEqual({ id: 'alice' });
  });

  it('refuses whom the rule refuses', () => {
    const made = exchange({ path: '/users/bob' }, route({ path: '/users/{id}', allow }));
    made.principal = principal({ username: 'alice' });
    expect(createAuthorizeStage(unlimited).run(made)).toMatchObject({
      kind: 'deny',
      code: 'AUTHZ_CLAIM_REQUIRED',
    });
  });

  const rateLimit = { by: 'caller', requests: 5, per: '1m' } as const;

  it('has what the rule lets through counted, and gives the verdict on that', () => {
    const made = exchange({}, route({ path: '/', rateLimit }));
    made.principal = principal();
    const counted: unknown[] = [];
    const stage = createAuthorizeStage((...asked) => {
      counted.push(asked);
      return deny('LIMIT_RATE');
    });
    expect(stage.run(made)).toEqual(deny('LIMIT_RATE'));
    expect(counted).toEqual([[made, { route: 'r0', by: 'caller', requests: 5, per: 60_000, burst: 5 }]]);
  });

  it('has nothing counted that the rule refuses, nor where there is no limit', () => {
    const guest = exchange({}, route({ path: '/', rateLimit }));
    expect(createAuthorizeStage(unlimited).run(guest)).toEqual(deny('AUTHN_TOKEN_MISSING'));
    const free = exchange({}, route({ path: '/', allow: 'public' }));
    expect(createAuthorizeStage(unlimited).run(free)).toBeUndefined();
  });

  it.each([
    [{ groups: 'a' }, false],
    [{ claims: { a: 'b' } }, false],
    [{ claims: { a: { startsWith: '{id}' } } }, false],
    [{ claims: { a: '{id}' } }, true],
    [{ claims: { a: ['x', '{id}'] } }, true],
    [{ claims: { a: { not: '{id}' } } }, true],
    [{ anyOf: [{ groups: 'a' }, { noneOf: [{ allOf: [{ claims: { a: '{id}' } }] }] }] }, true],
  ])('a rule %j needs parameters: %s', (rule, expected) => {
    expect(route({ path: '/users/{id}', allow: rule }).readsParameters).toBe(expected);
  });
});

describe('compileRoutes', () => {
  it('lets a route override what all have', () => {
    const [first, second] = routes(
      [
        { path: '/a' },
        {
          path: '/b',
          host: 'API.example.com',
          methods: ['GET'],
          permit: ['%2F', ';'],
          cors: null,
          forwardToken: false,
          limits: { bodyBytes: 7 },
          timeouts: { response: '1s', bodyIdle: '2s' },
          rewrite: { stripPrefix: '/b' },
        },
      ],
      {
        cors: 'upstream',
        identity: { forwardToken: true },
        server: { limits: { bodyBytes: 100 } },
        upstreams: { board: { url: 'http://board.test', timeouts: { response: '3s', bodyIdle: '4s' } } },
      },
    );
    expect(first).toMatchObject({
      host: null,
      methods: null,
      permit: 0,
      cors: 'upstream',
      forwardToken: true,
      bodyBytes: 100,
      responseTimeout: 3_000,
      bodyIdleTimeout: 4_000,
      stripPrefix: null,
    });
    expect(second).toMatchObject({
      host: 'api.example.com',
      methods: new Set(['GET']),
      permit: 17,
      cors: null,
      forwardToken: false,
      bodyBytes: 7,
      responseTimeout: 1_000,
      bodyIdleTimeout: 2_000,
      stripPrefix: '/b',
    });
    expect(first?.upstream).toBe(second?.upstream);
  });

  it('lets a route take a limit away', () => {
    const [only] = routes([{ path: '/a', limits: { bodyBytes: null } }], {
      server: { limits: { bodyBytes: 9 } },
    });
    expect(only?.bodyBytes).toBeNull();
  });
});
