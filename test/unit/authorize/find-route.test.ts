import { describe, expect, it } from 'vitest';
import { createRouter, type RoutedRequest } from '../../../src/authorize/find-route.ts';
import { canonicalizePath } from '../../../src/listen/canonical-path.ts';
import { type RouteSketch, routes } from '../../support/routes.ts';

/** What a request for this path meets: the route's id, or the code of the refusal. */
function find(sketches: readonly RouteSketch[], path: string, changes: Partial<RoutedRequest> = {}): string {
  const canonical = canonicalizePath(path);
  if (canonical === null) return 'refused before';
  const found = createRouter(routes(sketches)).find({
    host: 'api.example.com',
    method: 'GET',
    ...canonical,
    ...changes,
  });
  return 'code' in found ? found.code : found.id;
}

const AMBIGUOUS = 'REQUEST_PATH_AMBIGUOUS';
const ADMINS = { groups: ['admins'] };

describe('finding a route', () => {
  const table: RouteSketch[] = [
    { id: 'posts', path: '/posts', methods: ['GET'] },
    { id: 'write', path: '/posts', methods: ['POST', 'PUT'] },
    { id: 'any', path: '/any' },
    { id: 'rest', path: '/{proxy+}', methods: ['GET', 'DELETE'] },
  ];

  it.each([
    ['GET', '/posts', 'posts'],
    ['HEAD', '/posts', 'posts'],
    ['POST', '/posts', 'write'],
    // The less specific route would take it.
    ['DELETE', '/posts', 'ROUTE_METHOD_NOT_ALLOWED'],
    ['DELETE', '/else', 'rest'],
    ['POST', '/else', 'ROUTE_METHOD_NOT_ALLOWED'],
    ['PROPFIND', '/any', 'any'],
    ['GET', '/', 'ROUTE_NOT_FOUND'],
  ])('%s %s: %s', (method, path, expected) => {
    expect(find(table, path, { method })).toBe(expected);
  });

  it('says which methods are allowed', () => {
    const request = { host: '', path: '/posts', irregular: 0, method: 'DELETE' };
    expect(createRouter(routes(table)).find(request)).toEqual({
      kind: 'deny',
      code: 'ROUTE_METHOD_NOT_ALLOWED',
      allow: ['GET', 'HEAD', 'POST', 'PUT'],
    });
  });

  it('does not hand a request on to routes for any host, once the exact host has its path', () => {
    const hosts: RouteSketch[] = [
      { id: 'own', host: 'api.example.com', path: '/posts', methods: ['GET'] },
      { id: 'all', path: '/{proxy+}' },
    ];
    expect(find(hosts, '/posts', { method: 'POST' })).toBe('ROUTE_METHOD_NOT_ALLOWED');
    expect(find(hosts, '/posts', { method: 'POST', host: 'other.test' })).toBe('all');
  });

  it('tells all routes of a template, whatever the method', () => {
    const router = createRouter(routes(table));
    const request = { host: '', path: '/posts', irregular: 0, method: 'DELETE' };
    expect(router.match(request)?.map((route) => route.id)).toEqual(['posts', 'write']);
    expect(router.match({ ...request, path: '/' })).toBeUndefined();
  });
});

describe('a path that upstreams read in other ways', () => {
  const guarded: RouteSketch[] = [
    { id: 'admin', path: '/admin', allow: ADMINS },
    { id: 'admins', path: '/admin/{proxy+}', allow: ADMINS },
    { id: 'cafe', path: '/café/menu', allow: ADMINS },
    { id: 'me', path: '/users/me', allow: 'authenticated' },
    { id: 'user', path: '/users/{id}', allow: 'public' },
    { id: 'post', path: '/upload', methods: ['POST'], allow: ADMINS },
    { id: 'rest', path: '/{proxy+}', allow: 'public' },
  ];

  it.each([
    ['/Admin', AMBIGUOUS],
    ['/ADMIN', AMBIGUOUS],
    ['/%41dmin', AMBIGUOUS],
    ['/%61dmin', 'admin'],
    ['/admin/', AMBIGUOUS],
    ['/admin.', AMBIGUOUS],
    ['/admin...', AMBIGUOUS],
    ['/admin%20', AMBIGUOUS],
    ['/admin.%20.', AMBIGUOUS],
    ['/Admin/x', AMBIGUOUS],
    ['/admin./x', AMBIGUOUS],
    ['/admin%20/x', AMBIGUOUS],
    ['/ADMIN./X/', AMBIGUOUS],
    ['/%C4%B0', 'rest'],
    // U+212A, the Kelvin sign, and U+017F, the long s, are letters of our alphabet to who folds case by Unicode.
    ['/u%C5%BFers/me', AMBIGUOUS],
    ['/CAF%C3%89/menu', AMBIGUOUS],
    ['/caf%C3%A9/Menu', AMBIGUOUS],
    ['/caf%C3%A9/menu', 'cafe'],
    ['/users/Me', AMBIGUOUS],
    ['/users/me/', AMBIGUOUS],
    ['/users/me.', AMBIGUOUS],
    ['/Users/me', AMBIGUOUS],
    // For GET, that path is closed.
    ['/Upload', AMBIGUOUS],
    // What is read in other ways and leads nowhere stricter passes.
    ['/users/Alice', 'user'],
    ['/users/alice.', 'user'],
    ['/Users/Alice', 'rest'],
    ['/admin2', 'rest'],
    ['/Administration', 'rest'],
    ['/admi', 'rest'],
    ['/x/admin', 'rest'],
    ['/.admin', 'rest'],
    ['/-admin', 'rest'],
    ['/admin/X', 'admins'],
    ['/admin/x/', 'admins'],
    ['/admin/x.', 'admins'],
    ['/Images/Logo.PNG', 'rest'],
    ['/a%20b/', 'rest'],
  ])('%s: %s', (path, expected) => {
    expect(find(guarded, path)).toBe(expected);
  });

  it.each<readonly [string, readonly RouteSketch[], string, string]>([
    [
      'a template in upper case is protected in lower case',
      [
        { path: '/Admin', allow: ADMINS },
        { path: '/{p+}', allow: 'public' },
      ],
      '/admin',
      AMBIGUOUS,
    ],
    [
      'a template in upper case is reached as it is written',
      [{ path: '/Public', allow: 'public' }, { path: '/{p+}' }],
      '/Public',
      'r0',
    ],
    [
      'a template with a slash at the end is protected without it',
      [
        { path: '/admin/', allow: ADMINS },
        { path: '/{p+}', allow: 'public' },
      ],
      '/admin',
      AMBIGUOUS,
    ],
    [
      'of two spellings the lax one is refused',
      [
        { path: '/docs', allow: 'public' },
        { path: '/docs/', allow: ADMINS },
      ],
      '/docs',
      AMBIGUOUS,
    ],
    [
      'of two spellings the strict one is served',
      [
        { path: '/docs', allow: 'public' },
        { path: '/docs/', allow: ADMINS },
      ],
      '/docs/',
      'r1',
    ],
    ['two spellings with one rule are both served', [{ path: '/docs' }, { path: '/docs/' }], '/docs', 'r0'],
    [
      'a third spelling is refused for the stricter of two',
      [{ path: '/docs' }, { path: '/Docs', allow: ADMINS }, { path: '/{p+}' }],
      '/DOCS',
      AMBIGUOUS,
    ],
    [
      'two spellings that share no method do not stand in each other’s way',
      [
        { path: '/docs', methods: ['GET'], allow: 'public' },
        { path: '/Docs', methods: ['POST'], allow: ADMINS },
      ],
      '/docs',
      'r0',
    ],
    [
      'a folding of case alone counts, where trimming as well would lead elsewhere',
      [
        { path: '/{a}/{b}', allow: 'public' },
        { path: '/{a}/secret', allow: ADMINS },
        { path: '/api/{b}', allow: 'public' },
      ],
      '/api./Secret',
      AMBIGUOUS,
    ],
    [
      'a folding of the host’s own table comes first',
      [
        { host: 'api.example.com', path: '/admin', allow: ADMINS },
        { host: 'api.example.com', path: '/{p+}', allow: 'public' },
        { path: '/admin', allow: 'public' },
      ],
      '/Admin',
      AMBIGUOUS,
    ],
    [
      'a folding of names alone counts, where case as well would lead elsewhere',
      [
        { path: '/{a}/{b}', allow: 'public' },
        { path: '/{a}/secret', allow: ADMINS },
        { path: '/api/{b}', allow: 'public' },
      ],
      '/API/secret.',
      AMBIGUOUS,
    ],
    [
      'a parameter with a slash after it is no way around static text without',
      [
        { path: '/{a}/', allow: 'public' },
        { path: '/admin', allow: ADMINS },
      ],
      '/admin/',
      AMBIGUOUS,
    ],
    [
      'the rule of another host does not count',
      [
        { host: 'other.test', path: '/admin', allow: ADMINS },
        { path: '/{p+}', allow: 'public' },
      ],
      '/Admin',
      'r1',
    ],
    [
      'other conditions are as strict',
      [
        { path: '/users/me', allow: { groups: ['me'] } },
        { path: '/users/{id}', allow: ADMINS },
      ],
      '/users/Me',
      AMBIGUOUS,
    ],
  ])('%s', (_, sketches, path, expected) => {
    expect(find(sketches, path)).toBe(expected);
  });
});

describe('spellings that a route permits', () => {
  const all = ['%2F', '%25', '%23', '%3F', ';', '//'] as const;
  const table = (permit: readonly (typeof all)[number][]): RouteSketch[] => [
    { id: 'files', path: '/files/{path+}', allow: 'public', permit: [...permit] },
    { id: 'admin', path: '/files/admin', allow: ADMINS },
    { id: 'admins', path: '/files/admin/{path+}', allow: ADMINS },
    { id: 'outside', path: '/admin/{path+}', allow: ADMINS },
    { id: 'root', path: '/', allow: ADMINS },
  ];

  it.each<readonly [string, (typeof all)[number]]>([
    ['/files/a%2Fb', '%2F'],
    ['/files/a%2fb', '%2F'],
    ['/files/100%25', '%25'],
    ['/files/C%23', '%23'],
    ['/files/what%3F', '%3F'],
    ['/files/a;b', ';'],
    ['/files/a%3Bb', ';'],
    ['/files/a//b', '//'],
    ['/files//a', '//'],
  ])('%s passes where %s is permitted, and only there', (path, spelling) => {
    expect(find(table([spelling]), path)).toBe('files');
    expect(find(table(all.filter((other) => other !== spelling)), path)).toBe(AMBIGUOUS);
    expect(find(table([]), path)).toBe(AMBIGUOUS);
  });

  it.each([
    '/files/admin%2Fx',
    '/files/Admin%2Fx',
    '/files%2Fadmin',
    '/files/admin%252Fx',
    '/files/%2561dmin',
    '/files/admin;x',
    '/files/admin;x/y',
    '/files/admin%3Bx',
    '/files/admin%253Bx',
    '/files/admin%23x',
    '/files/admin%2523x',
    '/files/admin%3Fx=1',
    '/files/admin%253Fx=1',
    '/files/admin%2F',
    '/files//admin',
    '/files/admin//x',
    '/files/;x/admin',
    '/files/x;y%2F..%2Fadmin',
    '/files/..;/admin/x',
    '/files/a%2F..%2F..%2Fadmin',
    '/files/a%2F.%2Fb',
    '/files/%252e%252e/admin/x',
    '/files/%25zz/%252e%252e/admin/x',
    '/files/%252e%252e%252fadmin/x',
    '/files/a%255Cb',
    '/files/a%2500',
    '/files/a%250A',
    '/files/..%23/x',
    '/files/%25E3%2582',
    '/files/%25C0%25AE%25C0%25AE/admin/x',
    '/files/%25u002e%25u002e/admin/x',
    '/files/..%3F/x',
  ])('%s is refused whatever is permitted, for what it may be read as', (path) => {
    const found = find(table(all), path);
    expect(['refused before', AMBIGUOUS]).toContain(found);
  });

  it.each([
    ['/files/a%2Fadmin', 'files'],
    ['/files/administrators;x', 'files'],
    ['/files/a%23admin', 'files'],
    ['/files/100%25.txt', 'files'],
    ['/files/%25E3%2582%25A6', 'files'],
    ['/files/%E3%83%A6%2F%E3%83%BC', 'files'],
  ])('%s passes, since it may be read as nothing stricter', (path, expected) => {
    expect(find(table(all), path)).toBe(expected);
  });

  it('count on the route that has them, not on others', () => {
    expect(find(table(all), '/files/admin/a%2Fb')).toBe(AMBIGUOUS);
  });

  it.each([
    ['a long one that is read in two ways', `/files/${'x%2F'.repeat(1_000)}x`, 'files'],
    ['a longer one that is', `/files/${'x%2F'.repeat(1_400)}x`, AMBIGUOUS],
    ['a key of S3 in the longest spelling', `/files/${'%C3%A9'.repeat(500)}%2F${'%20'.repeat(20)}x`, 'files'],
    ['all spellings in one', `/files/${'x'.repeat(200)}%2F;a%23b%3F//`, 'files'],
    ['all spellings in one that is long', `/files/${'x'.repeat(600)}%2F;a%252F%23b%3F;`, AMBIGUOUS],
    ['all spellings over and over', `/files/${'a%2Fb;c%252F/'.repeat(300)}%23%3F`, AMBIGUOUS],
    ['nothing to be read in other ways', `/files/${'x'.repeat(8_000)}`, 'files'],
  ])('are refused where there would be too much to read: %s', (_, path, expected) => {
    expect(find(table(all), path)).toBe(expected);
  });

  it.each([
    // Greedy, and compared as a whole: what is inside counts, whichever slash it is.
    ['/whole/a%2Fb', 'whole'],
    ['/whole/a/b', 'whole'],
    ['/whole/a//b', AMBIGUOUS],
    ['/whole/a%2F%2Fb', AMBIGUOUS],
    ['/whole/a/', AMBIGUOUS],
    ['/whole/a;b', AMBIGUOUS],
    // Not compared: whatever it is read as, the owner is the same.
    ['/own/bob/a%2F;b//c', 'own'],
    ['/own/bob%2Fa/c', AMBIGUOUS],
    // Another route with the same rule, and its owner elsewhere in the path.
    ['/swapped/bob/x%2Fy', AMBIGUOUS],
    ['/swapped/bob/x', 'swapped'],
    // What is compared is `not` to be this.
    ['/not/bob%2Fx/a', AMBIGUOUS],
    // The rule looks at no parameter.
    ['/any/bob%2Fx/a', 'any'],
  ])('%s: %s, where the rule compares a part of the path', (path, expected) => {
    const owner = { claims: { username: '{owner}' } };
    const sketches: RouteSketch[] = [
      { id: 'whole', path: '/whole/{owner+}', allow: owner, permit: [...all] },
      { id: 'own', path: '/own/{owner}/{key+}', allow: owner, permit: [...all] },
      { id: 'swapped', path: '/swapped/{owner}/{key}', allow: owner, permit: ['%2F'] },
      { id: 'swapping', path: '/swapped/{a}/{owner}/{b}', allow: owner },
      {
        id: 'not',
        path: '/not/{owner}/{key+}',
        allow: { claims: { username: { not: '{owner}' } } },
        permit: ['%2F'],
      },
      { id: 'any', path: '/any/{owner}/{key+}', allow: { claims: { username: 'bob' } }, permit: ['%2F'] },
    ];
    expect(find(sketches, path)).toBe(expected);
  });

  it('stand in templates as they do in paths', () => {
    const sketches: RouteSketch[] = [
      { id: 'wiki', path: '/wiki/C%23', allow: ADMINS, permit: ['%23'] },
      { id: 'slash', path: '/wiki/a%2Fb', allow: ADMINS, permit: ['%2F'] },
      { id: 'rest', path: '/wiki/{title}', allow: 'public', permit: ['%23', '%2F'] },
    ];
    expect(find(sketches, '/wiki/C%23')).toBe('wiki');
    expect(find(sketches, '/wiki/a%2fb')).toBe('slash');
    expect(find(sketches, '/wiki/F%23')).toBe('rest');
    expect(find(sketches, '/wiki/c%23')).toBe(AMBIGUOUS);
    expect(find(sketches, '/wiki/A%2Fb')).toBe(AMBIGUOUS);
    expect(find(sketches, '/wiki/C%23/')).toBe(AMBIGUOUS);
  });
});
