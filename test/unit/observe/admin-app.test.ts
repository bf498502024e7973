import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import request from 'supertest';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AdminOptions, createAdminApp } from '../../../src/observe/admin-app.ts';
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
const EXPOSITION = { contentType: 'text/plain; version=0.0.4; charset=utf-8', text: 'up 1\n' };

let ready: boolean;
let failures: unknown[];
let metrics: AdminOptions['metrics'];
const app = () =>
  createAdminApp({
    ready: () => ready,
    metrics: () => metrics(),
    routes: () => [ROUTE],
    onFailure: (error) => failures.push(error),
  });

beforeEach(() => {
  ready = true;
  failures = [];
  metrics = () => Promise.resolve(EXPOSITION);
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
      'cognito-auth-proxy: ready\n\nROUTE  HOST  METHODS  PATH    ALLOW   UPSTREAM\nposts  *     GET      /posts  public  board\n',
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
    expect((await request(app()).get('/')).text).toMatch(/^cognito-auth-proxy: not ready\n/);
  });

  it.each(['/livez', '/readyz', '/metrics', '/routes', '/'])(
    'answers HEAD %s without a body',
    async (path) => {
      const answer = await request(app()).head(path);
      expect([answer.status, answer.text]).toEqual([200, undefined]);
    },
  );

  const others = ['post', 'put', 'patch', 'delete', 'options', 'trace', 'propfind'] as const;
  it.each(['/livez', '/readyz', '/metrics', '/routes', '/'])('takes no other method on %s', async (path) => {
    for (const method of others) {
      const answer = await request(app())[method](path);
      expect([method, answer.status, answer.headers['allow']]).toEqual([method, 405, 'GET, HEAD']);
      expect(answer.body).toEqual({ message: 'Method Not Allowed' });
    }
  });

  it.each(['/livez', '/metrics', '/', '/nowhere'])(
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
      `${line} HTTP/1.1\r\nHost: a\r\n${headers}Connection: close\r\n\r\n`,
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
    for (const target of ['/routes', '/']) {
      const answer = await ask(`GET ${target}`, claims);
      expect(answer.status).toBe(loopback ? 200 : 403);
      if (!loopback) expect(answer.text).toBe('{"message":"Forbidden: answered on the loopback only"}');
    }
    for (const target of ['/livez', '/readyz', '/metrics']) {
      expect((await ask(`GET ${target}`)).status).toBe(200);
    }
  });
});
