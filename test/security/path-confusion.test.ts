/**
 * The path that is judged must be the path that is sent: CVE-2025-54576, CVE-2026-41059 (oauth2-proxy), CVE-2026-33494
 * (Oathkeeper), CVE-2026-40912, CVE-2026-48020, CVE-2025-66490 (Traefik), CVE-2026-33808, CVE-2026-22037
 * (@fastify/express), CVE-2026-15573 (Keycloak). The generated corpus is in path-oracle.test.ts.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attack, expectRefusal, onlyRequest, SHAPES, untilIdle } from '../support/attack.ts';
import { bearer, type ProxyUnderTest, startProxy } from '../support/proxy.ts';
import { upgradeEcho } from '../support/upstream-answers.ts';

let proxy: ProxyUnderTest;

beforeAll(async () => {
  proxy = await startProxy({
    routes: [
      { id: 'open', match: { path: '/public/{path+}' }, allow: 'public', upstream: 'board' },
      {
        id: 'stripped',
        match: { path: '/v1/public/{path+}' },
        allow: 'public',
        upstream: 'board',
        rewrite: { stripPrefix: '/v1' },
      },
      { id: 'admin', match: { path: '/admin' }, allow: 'authenticated', upstream: 'board' },
      { id: 'admin-below', match: { path: '/admin/{path+}' }, allow: 'authenticated', upstream: 'board' },
      {
        id: 'lenient',
        match: { path: '/files/{key+}', permit: ['%2F', '%25', '%23', '%3F', ';', '//'] },
        allow: 'public',
        upstream: 'board',
      },
    ],
  });
});
afterAll(async () => {
  await untilIdle(proxy);
  await proxy.stop();
});

describe('beside an open catch-all', () => {
  let open: ProxyUnderTest;

  beforeAll(async () => {
    open = await startProxy({
      routes: [
        { id: 'admin', match: { path: '/admin' }, allow: 'authenticated', upstream: 'board' },
        { id: 'admin-below', match: { path: '/admin/{path+}' }, allow: 'authenticated', upstream: 'board' },
        {
          id: 'login',
          match: { path: '/login' },
          allow: 'public',
          upstream: 'board',
          rateLimit: { by: 'address', requests: 100, per: '1m' },
        },
        {
          id: 'form',
          match: { path: '/form' },
          allow: 'public',
          upstream: 'board',
          limits: { bodyBytes: 10 },
        },
        { id: 'rest', match: { path: '/{path+}' }, allow: 'public', upstream: 'board' },
      ],
    });
  });
  afterAll(async () => {
    await untilIdle(open);
    await open.stop();
  });

  describe.each(SHAPES)('as %s', (shape) => {
    it.each([
      '/ADMIN',
      '/Admin/x',
      '/%41dmin',
      '/admin/',
      '/admin.',
      '/admin%20',
      '/admin./x',
      '/admin%20/x',
      '/admin%20./x',
      '/adm%C4%B1n/x',
    ])('refuses %j, which some upstreams take for the protected page', async (target) => {
      expectRefusal(await attack(open, shape, target), 400, 'Bad Request', 'REQUEST_PATH_AMBIGUOUS');
    });

    it.each(['/Login', '/login/', '/LOGIN.', '/Form', '/form%20'])(
      'refuses %j, which some upstreams take for the page with a limit',
      async (target) => {
        expectRefusal(await attack(open, shape, target), 400, 'Bad Request', 'REQUEST_PATH_AMBIGUOUS');
      },
    );

    it.each(['/administrator', '/Public', '/a.', '/admin-x/', '/x/ADMIN', '/login', '/Login/x'])(
      'sends %j',
      async (target) => {
        expect(onlyRequest(await attack(open, shape, target)).target).toBe(target);
      },
    );
  });
});

describe.each([
  { where: 'to an upstream without a path', basePath: '' },
  { where: 'to an upstream with a path of its own', basePath: '/base' },
])('under a prefix that is stripped, $where', ({ basePath }) => {
  let stripping: ProxyUnderTest;

  beforeAll(async () => {
    const common = { upstream: 'board', rewrite: { stripPrefix: '/v1' } };
    stripping = await startProxy(
      {
        routes: [
          { id: 'home', match: { path: '/v1' }, allow: 'authenticated', ...common },
          { id: 'admin', match: { path: '/v1/admin' }, allow: 'authenticated', ...common },
          { id: 'admin-below', match: { path: '/v1/admin/{path+}' }, allow: 'authenticated', ...common },
          {
            id: 'rest',
            match: { path: '/v1/{path+}', permit: ['%2F', '%25', ';', '//'] },
            allow: 'public',
            ...common,
          },
        ],
      },
      { basePath },
    );
  });
  afterAll(async () => {
    await untilIdle(stripping);
    await stripping.stop();
  });

  describe.each(SHAPES)('as %s', (shape) => {
    // What is sent begins with two slashes, and with a host to those who take it for a reference.
    it.each([
      '/v1//x/admin/y',
      '/v1//x/admin',
      '/v1///x/admin',
      '/v1//x//admin',
      '/v1//a;b/admin/y',
      '/v1//a%2Fb/admin/y',
      '/v1/%2Fx/admin/y',
      '/v1/%2F/x/admin',
      '/v1/%252Fx/admin',
      '/v1/;/x/admin',
      '/v1//x/ADMIN/y',
      '/v1//x/;/admin/y',
      '/v1//x',
    ])('refuses %j, which some upstreams take for the protected page', async (target) => {
      expectRefusal(await attack(stripping, shape, target), 400, 'Bad Request', 'REQUEST_PATH_AMBIGUOUS');
    });

    it.each([
      ['/v1//x/y', '//x/y'],
      ['/v1//admin.example/y', '//admin.example/y'],
      ['/v1//x/administrator', '//x/administrator'],
      ['/v1/x/admin/y', '/x/admin/y'],
      ['/v1/x//admin/y', '/x//admin/y'],
      ['/v1/v1/admin', '/v1/admin'],
    ])('sends %j as %j', async (target, sent) => {
      expect(onlyRequest(await attack(stripping, shape, target)).target).toBe(basePath + sent);
    });
  });
});

describe.each(SHAPES)('as %s', (shape) => {
  const answerWell = (): void => {
    if (shape === 'upgrade') proxy.upstream.on('*', upgradeEcho());
    else proxy.upstream.forget();
  };

  it.each([
    // dot segments, in every spelling
    '/public/../admin',
    '/public/..',
    '/public/.',
    '/public/./x',
    '/./admin',
    '/../admin',
    '/public/%2e%2e/admin',
    '/public/%2E%2E/admin',
    '/public/.%2e/admin',
    '/public/%2e./admin',
    '/public/%2e/x',
    '/v1/public/%2e%2e/admin',
    '/v1/public/../../admin',
    '/v1/%2e%2e/admin',
    '/files/../admin',
    '/files/%2e%2e/admin',
    '/files/..%2Fadmin',
    '/files/%2e%2e%2fadmin',
    '/files/..;/admin',
    '/files/..;a=b/admin',
    '/files/..%3Ba/admin',
    '/files/%252e%252e/admin',
    '/files/..%252fadmin',
    '/files/%252e%252e%252fadmin',
    '/files/a/..%2f..%2fadmin',
    '/files//../admin',
    // dot segments for those who trim names
    '/public/..%20/admin',
    '/public/..%20./admin',
    '/public/%20../admin',
    '/public/.%20',
    '/files/%252e%252e%2520/admin',
    '/files/%252e%252e.../admin',
    // hidden from those who give up where a byte is no UTF-8
    '/files/%252e%252e%252f%25c0/admin',
    '/files/%252e%252e/admin/%25zz',
    '/files/%25u002e%25u002e/admin',
    '/files/%2e%2e//admin',
    '/files/a%2F%2e%2e%2F%2e%2e%2Fadmin',
    // separators that are none
    '/public\\..\\admin',
    '/public/..\\admin',
    '/admin\\',
    '/files/..%5Cadmin',
    '/files/a%5cb',
    '/files/a%255cb',
    '/public%5C..%5Cadmin',
    '//admin',
    '///admin',
    '/public//admin',
    '/public//../admin',
    '//evil.example/admin',
    '/admin//',
    '/%2Fadmin',
    '/admin%2F',
    '/admin%2f',
    '/public%2f..%2fadmin',
    // matrix parameters
    '/admin;x',
    '/admin;a/x',
    '/admin;a=1/x',
    '/;/admin',
    '/public;/../admin',
    '/public/;a/x',
    '/admin%3B',
    '/admin%3bx',
    // what ends a path for some
    '/public/secret%23/x',
    '/public/x%23',
    '/public/x%3Fy',
    '/public/x%3f',
    '/admin%3F',
    '/admin%23',
    // NUL and other controls
    '/admin%00',
    '/public/%00/x',
    '/files/a%00',
    '/files/a%0d%0aX-Cognito-Sub:%20evil',
    '/files/a%0A',
    '/files/a%09b',
    '/files/a%7F',
    '/files/a%1b[2J',
    '/files/a%C2%85b',
    '/files/a%C2%9Fb',
    // twice encoded
    '/public/%252e%252e/admin',
    '/%2561dmin',
    '/public/%25',
    // not UTF-8, or not as UTF-8 is written
    '/public/%C0%AE%C0%AE/admin',
    '/public/%E0%80%AE/x',
    '/public/%F0%80%80%AE/x',
    '/files/%C0%AFadmin',
    '/public/%FF',
    '/public/%C3',
    '/public/%C3x',
    '/public/%80',
    '/public/%ED%A0%80',
    '/public/%F4%90%80%80',
    '/public/%F8%88%80%80%80',
    // no percent triplets
    '/public/%',
    '/public/%2',
    '/public/%zz',
    '/public/%u002e%u002e/admin',
    '/public/%2G',
    '/%',
  ])('refuses %j', async (target) => {
    answerWell();
    expectRefusal(await attack(proxy, shape, target), 400, 'Bad Request', 'REQUEST_PATH_AMBIGUOUS');
  });

  // Node's parser takes no such bytes in a target: a lesser one would have to be told apart from it by its code.
  it.each([
    '\\admin',
    '/public/% 2e',
    '/public/a b',
    '/public/\t',
    '/public/\x00',
    '/public/\x7f',
    '/public/\x85',
    '/public/\xff',
    '/public/\xc0\xae\xc0\xae/admin',
    '/public/\xe2\x82\xac',
    '/public/x?\xff',
    '/public/x?\x00',
  ])('cannot even read %j', async (target) => {
    answerWell();
    expectRefusal(await attack(proxy, shape, target), 400, 'Bad Request', 'REQUEST_MALFORMED');
  });

  it.each([
    ['/admin', 401, 'AUTHN_TOKEN_MISSING'],
    ['/admin/x', 401, 'AUTHN_TOKEN_MISSING'],
    ['/%61dmin', 401, 'AUTHN_TOKEN_MISSING'],
    ['/%61%64%6D%69%6e/x', 401, 'AUTHN_TOKEN_MISSING'],
    ['/admin?x=/public/', 401, 'AUTHN_TOKEN_MISSING'],
    ['/admin?/public/x', 401, 'AUTHN_TOKEN_MISSING'],
    ['/admin/x?../public/x', 401, 'AUTHN_TOKEN_MISSING'],
  ])('asks for a token at %j', async (target, status, code) => {
    answerWell();
    expectRefusal(await attack(proxy, shape, target), status, 'Unauthorized', code);
  });

  it.each([
    ['/adminx', 'ROUTE_NOT_FOUND'],
    ['/public', 'ROUTE_NOT_FOUND'],
    ['/', 'ROUTE_NOT_FOUND'],
    ['/pub/x', 'ROUTE_NOT_FOUND'],
    ['/%70ublicx/x', 'ROUTE_NOT_FOUND'],
  ])('has no route for %j', async (target, code) => {
    answerWell();
    expectRefusal(await attack(proxy, shape, target), 404, 'Not Found', code);
  });

  it.each([
    ['/public/a', '/public/a'],
    ['/public/%61', '/public/a'],
    ['/public/%7Euser/%2d%5F', '/public/~user/-_'],
    ['/public/a%20b', '/public/a%20b'],
    ['/public/%e2%82%ac', '/public/%E2%82%AC'],
    ['/public/"<>[]^`{|}', '/public/%22%3C%3E%5B%5D%5E%60%7B%7C%7D'],
    ["/public/!$&'()*+,=:@", "/public/!$&'()*+,=:@"],
    ['/public/.hidden/...', '/public/.hidden/...'],
    ['/public/a/', '/public/a/'],
    ['/public/a?', '/public/a?'],
    ['/public/a?b=../admin&c=%2e%2e//;\\', '/public/a?b=../admin&c=%2e%2e//;\\'],
    ['/public/a??b', '/public/a??b'],
    ['/v1/public/a%20b', '/public/a%20b'],
    ['/files/a%2Fb%3b;c//d%3Fe%23f%25', '/files/a%2Fb%3B;c//d%3Fe%23f%25'],
    ['/files/a%252Fb', '/files/a%252Fb'],
  ])('sends %j as %j', async (target, sent) => {
    answerWell();
    const outcome = await attack(proxy, shape, target);
    expect(outcome.response.status).toBe(shape === 'upgrade' ? 101 : 200);
    expect(onlyRequest(outcome).requestLine).toBe(`GET ${sent} HTTP/1.1`);
  });

  it('lets the caller with a token in, under the path that was judged', async () => {
    answerWell();
    const outcome = await attack(proxy, shape, '/%61dmin/%78', [bearer(proxy.token())]);
    expect(onlyRequest(outcome).target).toBe('/admin/x');
  });
});
