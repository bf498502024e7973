/**
 * What is asked for must be a path on this host, in one form: CVE-2026-88009 (Traefik) took an opaque request target for
 * a path; bare node:http takes absolute targets with another host, and fragments.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attack, expectRefusal, onlyRequest, SHAPES, untilIdle } from '../support/attack.ts';
import { type ProxyUnderTest, startProxy } from '../support/proxy.ts';

let proxy: ProxyUnderTest;

beforeAll(async () => {
  proxy = await startProxy({
    routes: [
      { id: 'root', match: { path: '/' }, allow: 'public', upstream: 'board' },
      { id: 'open', match: { path: '/public/{path+}' }, allow: 'public', upstream: 'board' },
      { id: 'admin', match: { path: '/admin' }, allow: 'authenticated', upstream: 'board' },
    ],
  });
});
afterAll(async () => {
  await untilIdle(proxy);
  await proxy.stop();
});

describe.each(SHAPES)('as %s', (shape) => {
  it.each([
    'http:///admin',
    'http://evil.example/public/x',
    'http://evil.example/admin',
    'http://api.example.com.evil.example/public/x',
    'http://api.example.com@evil.example/public/x',
    'http://user@api.example.com/public/x',
    'http://api.example.com:81/public/x',
    'http://api.example.com?/admin',
    'ftp://api.example.com/public/x',
    'file:///etc/passwd',
    '*',
    '/public/x?a#b',
  ])('refuses the target %j', async (target) => {
    expectRefusal(await attack(proxy, shape, target), 400, 'Bad Request', 'REQUEST_TARGET_INVALID');
  });

  it.each(['/public/x#', '/public/x#frag', '/public/#/../admin', 'http://api.example.com/public/x#y'])(
    'refuses the fragment in %j',
    async (target) => {
      expectRefusal(await attack(proxy, shape, target), 400, 'Bad Request', 'REQUEST_PATH_AMBIGUOUS');
    },
  );

  // Node's own parser takes no such targets.
  it.each([
    'http:http://int/admin',
    'http:/admin',
    'http:admin',
    'http://api.example.com\\@evil.example/public/x',
    'javascript:alert(1)',
    'public/x',
    '?/public/x',
    'api.example.com:80',
    '',
    'http//api.example.com/x',
    '\\public\\x',
    'ht tp://x/',
    'http://[::1/x y',
  ])('cannot even read %j', async (target) => {
    expectRefusal(await attack(proxy, shape, target), 400, 'Bad Request', 'REQUEST_MALFORMED');
  });

  it.each([
    ['http://api.example.com/public/x', '/public/x'],
    ['HTTP://API.Example.com/public/x?y=1', '/public/x?y=1'],
    ['https://api.example.com/public/%61', '/public/a'],
    ['http://api.example.com', '/'],
    ['http://api.example.com/', '/'],
  ])('takes the absolute form %j for %j', async (target, sent) => {
    expect(onlyRequest(await attack(proxy, shape, target)).target).toBe(sent);
  });

  it.each(['http://api.example.com/admin', 'http://api.example.com/%61dmin?x=/public/'])(
    'judges the path in %j',
    async (target) => {
      expectRefusal(await attack(proxy, shape, target), 401, 'Unauthorized', 'AUTHN_TOKEN_MISSING');
    },
  );

  it.each(['http://api.example.com/public/../admin', 'http://api.example.com//admin'])(
    'refuses the ambiguous path in %j',
    async (target) => {
      expectRefusal(await attack(proxy, shape, target), 400, 'Bad Request', 'REQUEST_PATH_AMBIGUOUS');
    },
  );
});

describe('CONNECT', () => {
  it.each(['upstream.internal:443', '127.0.0.1:22', 'api.example.com:80', '/public/x'])(
    'is refused for %j, and the connection closed',
    async (target) => {
      const { connections } = proxy.upstream;
      const response = await proxy.request(`CONNECT ${target} HTTP/1.1`);
      expect(response.status).toBe(400);
      expect(response.json()).toMatchObject({ message: 'Bad Request', code: 'REQUEST_METHOD_UNSUPPORTED' });
      expect(response.header('connection')).toBe('close');
      expect(proxy.upstream.connections).toBe(connections);
    },
  );
});
