import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import request from 'supertest';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configSchema } from '../../../src/config/schema/config.ts';
import { systemClock } from '../../../src/core/system-clock.ts';
import { type AdminOptions, createAdminApp } from '../../../src/observe/admin-app.ts';
import { createStatusBoard } from '../../../src/observe/status/board.ts';
import { exchangeRaw } from '../../support/raw-http.ts';

const ROUTE = {
  id: 'posts',
  host: '*',
  methods: 'GET',
  path: '/posts',
  allow: 'public',
  enforce: true,
  upstream: 'board',
};
const PATHS = [
  '/livez',
  '/readyz',
  '/metrics',
  '/routes',
  '/',
  '/status.css',
  '/status-phone.css',
  '/status.js',
  '/status/routes',
  '/configuration',
];
const CONFIG = configSchema.parse({
  upstreams: { board: { url: 'http://127.0.0.1:9' } },
  routes: [{ id: 'posts', match: { path: '/posts' }, allow: 'public', upstream: 'board' }],
});
const EXPOSITION = { contentType: 'text/plain; version=0.0.4; charset=utf-8', text: 'up 1\n' };

let ready: boolean;
let failures: unknown[];
let metrics: AdminOptions['metrics'];
let explain: AdminOptions['explain'];
const app = () => {
  const board = createStatusBoard({
    clock: systemClock,
    config: () => CONFIG,
    phase: () => (ready ? 'ready' : 'starting'),
    sample: () => Promise.resolve([]),
    onFailure: (error) => failures.push(error),
  });
  return createAdminApp({
    ready: () => ready,
    metrics: () => metrics(),
    routes: () => [ROUTE],
    board,
    fingerprint: () => 'abcdef',
    configuration: () => 'routes: []\n',
    explain: (asked) => explain(asked),
    onFailure: (error) => failures.push(error),
  });
};

beforeEach(() => {
  ready = true;
  failures = [];
  metrics = () => Promise.resolve(EXPOSITION);
  explain = (asked) => ({ text: `asked for ${asked.url}\n`, json: asked });
});

describe('the admin port', () => {
  it.each([
    ['/livez', 200, 'text/plain; charset=utf-8', 'ok\n'],
    ['/readyz', 200, 'text/plain; charset=utf-8', 'ok\n'],
    ['/metrics', 200, EXPOSITION.contentType, 'up 1\n'],
    ['/metrics?name[]=x', 200, EXPOSITION.contentType, 'up 1\n'],
    ['/routes', 200, 'application/json; charset=utf-8', JSON.stringify([ROUTE])],
    [
      '/',
      200,
      'text/plain; charset=utf-8',
      'All well, and no requests in the last minute\n\nROUTE  HOST  METHODS  PATH    ALLOW   UPSTREAM\nposts  *     GET      /posts  public  board\n',
    ],
  ])('answers GET %s', async (path, status, type, text) => {
    const answer = await request(app()).get(path);
    expect([answer.status, answer.headers['content-type'], answer.text]).toEqual([status, type, text]);
  });

  it('lives while it is not ready', async () => {
    ready = false;
    expect((await request(app()).get('/livez')).status).toBe(200);
    const answer = await request(app()).get('/readyz');
    expect([answer.status, answer.text]).toEqual([503, 'not ready\n']);
    expect((await request(app()).get('/')).text).toMatch(/^Starting\n/);
  });

  it.each([...PATHS, '/events'])('answers HEAD %s without a body', async (path) => {
    const answer = await request(app()).head(path);
    expect([answer.status, answer.text]).toEqual([200, undefined]);
  });

  const others = ['post', 'put', 'patch', 'delete', 'options', 'trace', 'propfind'] as const;
  it.each(PATHS)('takes no other method on %s', async (path) => {
    for (const method of others) {
      const answer = await request(app())[method](path);
      expect([method, answer.status, answer.headers['allow']]).toEqual([method, 405, 'GET, HEAD']);
      expect(answer.body).toEqual({ message: 'Method Not Allowed' });
    }
  });

  it.each(['/livez', '/metrics', '/', '/explain', '/nowhere'])(
    'is a page of ours at %s: helmet, no cache, no name of the software',
    async (path) => {
      const { headers } = await request(app()).get(path).set('if-none-match', '*');
      expect(headers).toMatchObject({
        'content-security-policy': expect.stringContaining("default-src 'self'"),
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'SAMEORIGIN',
        'cross-origin-resource-policy': 'same-origin',
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-store',
      });
      for (const absent of ['x-powered-by', 'server', 'etag', 'strict-transport-security']) {
        expect(headers).not.toHaveProperty(absent);
      }
    },
  );

  it('answers a failure without its reason, and tells it to the log', async () => {
    const failure = new Error('a worker has died of a secret');
    metrics = () => Promise.reject(failure);
    const answer = await request(app()).get('/metrics');
    expect([answer.status, answer.text]).toEqual([500, '{"message":"Internal Server Error"}']);
    expect(failures).toEqual([failure]);
    expect((await request(app()).get('/livez')).status).toBe(200);
  });
});

describe('the status page', () => {
  it('is HTML for a browser, with nothing from elsewhere and nothing inline', async () => {
    const answer = await request(app()).get('/').set('accept', 'text/html,application/xhtml+xml,*/*;q=0.8');
    expect(answer.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(answer.headers['content-security-policy']).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    expect(answer.text).not.toMatch(/ style=|<style|<script>| on[a-z]+=|https?:\/\/(?!127\.0\.0\.1:9<)/);
    for (const [, path = ''] of answer.text.matchAll(/(?:src|href)="(\/[^"]+)"/g)) {
      expect([path, (await request(app()).get(path)).status]).toEqual([path, 200]);
    }
  });

  it.each([
    ['/status.css', 'text/css; charset=utf-8'],
    ['/status-phone.css', 'text/css; charset=utf-8'],
    ['/status.js', 'text/javascript; charset=utf-8'],
    ['/status/routes', 'text/html; charset=utf-8'],
    ['/status/routes?search=posts&order=refusals', 'text/html; charset=utf-8'],
    ['/status/routes?search[]=x&order=__proto__', 'text/html; charset=utf-8'],
    ['/configuration', 'text/plain; charset=utf-8'],
  ])('comes with %s', async (path, type) => {
    const answer = await request(app()).get(path);
    expect([answer.status, answer.headers['content-type']]).toEqual([200, type]);
  });
});

describe('POST /explain', () => {
  const post = (body: string, headers: Record<string, string> = {}) =>
    request(app())
      .post('/explain')
      .set({ 'content-type': 'application/json', ...headers })
      .send(body);

  it('answers in JSON, and in plain text to who would rather have that', async () => {
    const body = JSON.stringify({ request: 'put /posts HTTP/1.1', token: 'Bearer a.b.c' });
    const asked = { method: 'put', url: '/posts', token: 'a.b.c', idToken: null };
    expect((await post(body)).body).toEqual(asked);
    const text = await post(body, { accept: 'text/plain' });
    expect([text.headers['content-type'], text.text]).toEqual([
      'text/plain; charset=utf-8',
      'asked for /posts\n',
    ]);
  });

  it.each([
    ['', 400],
    ['[]', 400],
    ['null', 400],
    ['{"request":"eyJsecret"', 400],
    ['{"request":7}', 400],
    ['{"request":" "}', 400],
    ['{"request":"GET /","token":["eyJsecret"]}', 400],
    [JSON.stringify({ request: 'GET /', token: 'eyJsecret'.repeat(8000) }), 413],
  ])('refuses %s, and neither repeats nor logs it', async (body, status) => {
    const answer = await post(body);
    expect(answer.status).toBe(status);
    expect(answer.text).not.toContain('eyJ');
    expect(failures).toEqual([]);
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', 'application/jsonx'])(
    'takes no %s, which a form of another site could send',
    async (type) => {
      expect((await post('{"request":"GET /"}', { 'content-type': type })).status).toBe(415);
    },
  );

  it.each(['get', 'head', 'put', 'delete', 'options'] as const)('takes no %s', async (method) => {
    const answer = await request(app())[method]('/explain');
    expect([answer.status, answer.headers['allow']]).toEqual([405, 'POST']);
  });

  it('says of a failure neither to the client nor to the log what was sent', async () => {
    explain = ({ token }) => {
      throw new TypeError(`no such claim in ${token}`);
    };
    const answer = await post('{"request":"GET /","token":"eyJsecret"}');
    expect([answer.status, answer.text]).toEqual([500, '{"message":"Internal Server Error"}']);
    expect(failures).toEqual([new Error('a request could not be explained: TypeError')]);
  });
});

describe('on a real socket', () => {
  let server: Server;
  let port: number;
  beforeEach(async () => {
    server = createServer(app()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  });
  afterEach(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });

  const ask = (line: string, headers = '') =>
    exchangeRaw(
      `http://127.0.0.1:${port}`,
      `${line} HTTP/1.1\r\nHost: localhost:9090\r\n${headers}Connection: close\r\n\r\n`,
      line.split(' ')[0],
    );

  it.each([
    '/metrics/../x',
    '/metrics/..',
    '/metrics/../routes',
    '/metrics/./',
    '/metrics/',
    '//metrics',
    '/metrics//',
    '/Metrics',
    '/METRICS',
    '/%6detrics',
    '/metrics%2f..%2froutes',
    '/metrics;x',
    '/metrics%00',
    '/metrics%',
    '/%',
    '/%zz',
    '/livez/',
    '/readyz/x',
    '/routes/',
    '/..',
    '/../routes',
    '/%2e%2e/routes',
    '/\\routes',
    '/favicon.ico',
    '/debug/pprof',
    '/__proto__',
  ])('knows no %s', async (target) => {
    const answer = await ask(`GET ${target}`);
    expect([answer.status, answer.text]).toEqual([404, '{"message":"Not Found"}']);
  });

  it.each([
    ['127.0.0.1', true],
    ['127.8.9.10', true],
    ['::1', true],
    ['::ffff:127.0.0.1', true],
    ['203.0.113.9', false],
    ['10.0.0.1', false],
    ['::ffff:10.0.0.1', false],
    ['2001:db8::1', false],
    ['::127.0.0.1', false],
    [undefined, false],
  ])('shows the configuration to loopback peers only: %s', async (address, loopback) => {
    server.on('connection', (socket) => Object.defineProperty(socket, 'remoteAddress', { value: address }));
    const claims = 'X-Forwarded-For: 127.0.0.1\r\nForwarded: for=127.0.0.1\r\nX-Real-IP: 127.0.0.1\r\n';
    for (const target of ['/routes', '/', '/status.js', '/status/routes', '/configuration']) {
      const answer = await ask(`GET ${target}`, claims);
      expect(answer.status).toBe(loopback ? 200 : 403);
      if (!loopback) expect(answer.text).toBe('{"message":"Forbidden: answered on the loopback only"}');
    }
    for (const target of ['/livez', '/readyz', '/metrics']) {
      expect((await ask(`GET ${target}`)).status).toBe(200);
    }
  });

  const LOCAL = [
    '/',
    '/routes',
    '/status.css',
    '/status-phone.css',
    '/status.js',
    '/events',
    '/status/routes',
    '/configuration',
  ];

  it.each([
    ['localhost', 200],
    ['localhost:9090', 200],
    ['LOCALHOST:1', 200],
    ['board.localhost:9090', 200],
    ['127.0.0.1:9090', 200],
    ['[::1]:9090', 200],
    ['10.1.2.3', 200],
    ['evil.example', 403],
    ['localhost.evil.example', 403],
    ['evil.example:9090', 403],
    ['notlocalhost', 403],
    ['127.0.0.1.evil.example', 403],
    ['', 403],
  ])('is not read under a name that may point anywhere: Host %s is %i', async (host, status) => {
    const asking = (line: string) =>
      exchangeRaw(
        `http://127.0.0.1:${port}`,
        `${line} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
        line.split(' ')[0],
      );
    for (const target of LOCAL)
      expect([target, (await asking(`HEAD ${target}`)).status]).toEqual([target, status]);
    expect((await asking('POST /explain')).status).toBe(status === 200 ? 415 : 403);
    for (const target of ['/livez', '/metrics']) expect((await asking(`GET ${target}`)).status).toBe(200);
  });

  it.each([
    ['Sec-Fetch-Site: same-origin', true],
    ['Sec-Fetch-Site: none', true],
    ['Origin: http://localhost:9090', true],
    ['Sec-Fetch-Site: cross-site', false],
    ['Sec-Fetch-Site: same-site', false],
    ['Origin: http://localhost:3000', false],
    ['Origin: https://localhost:9090', false],
    ['Origin: null', false],
    ['Origin: http://evil.example', false],
  ])('answers the page itself, and no script of another site: %s', async (header, own) => {
    for (const target of ['/events', '/status/routes', '/configuration']) {
      expect([target, (await ask(`HEAD ${target}`, `${header}\r\n`)).status]).toEqual([
        target,
        own ? 200 : 403,
      ]);
    }
    expect((await ask('POST /explain', `${header}\r\n`)).status).toBe(own ? 415 : 403);
    // A link to the page from a runbook is followed.
    expect((await ask('HEAD /', `${header}\r\n`)).status).toBe(200);
  });
});
