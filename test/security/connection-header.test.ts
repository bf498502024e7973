/**
 * `Connection` names what ends at this hop. It must not take away what the proxy itself sets: GHSA-w9mr-28mw-j8hg
 * (Oathkeeper), CVE-2026-29054 (Traefik); nor keep what ends here.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { attack, expectRefusal, onlyRequest, SHAPES, untilIdle } from '../support/attack.ts';
import { bearer, type ProxyUnderTest, startProxy } from '../support/proxy.ts';

let proxy: ProxyUnderTest;

beforeAll(async () => {
  proxy = await startProxy({
    server: { trustedProxies: ['127.0.0.1'] },
    routes: [
      { id: 'open', match: { path: '/public' }, allow: 'public', upstream: 'board' },
      { id: 'optional', match: { path: '/optional' }, allow: 'optional', upstream: 'board' },
      { id: 'members', match: { path: '/members' }, allow: 'authenticated', upstream: 'board' },
    ],
  });
});
afterEach(() => proxy.upstream.forget());
afterAll(async () => {
  await untilIdle(proxy);
  await proxy.stop();
});

const OURS = [
  'host',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'forwarded',
  'x-request-id',
  'x-cognito-sub',
  'x-cognito-username',
  'x-cognito-groups',
];

describe.each(SHAPES)('as %s', (shape) => {
  it.each([
    ['one name', ['Connection: X-Cognito-Groups']],
    ['all names', [`Connection: ${OURS.join(', ')}`]],
    ['odd case', [`Connection: ${OURS.join(',').toUpperCase()}`]],
    ['one line for each', OURS.map((name) => `Connection: ${name}`)],
    ['among others', ['Connection: close, X-Cognito-Groups, keep-alive', 'Connection: X-Cognito-Sub,,']],
    ['beside keep-alive', ['Connection: keep-alive', 'Connection: X-Cognito-Sub']],
  ])('still sets its own headers: %s', async (_, lines) => {
    const token = proxy.token({ 'cognito:groups': ['writers'] });
    const outcome = await attack(proxy, shape, '/members', [...lines, bearer(token)]);
    const request = onlyRequest(outcome);
    for (const name of OURS) expect(request.values(name), name).toHaveLength(1);
    expect(request.values('x-cognito-groups')).toEqual(['writers']);
  });

  it('drops what it names, on every line of it, and nothing else', async () => {
    const lines = [
      'X-Secret: 1',
      'Connection: X-Secret, close',
      'X-Other: 2',
      'X-Later: 3',
      'connection: x-later',
      'X-secret: 4',
    ];
    const request = onlyRequest(await attack(proxy, shape, '/public', lines));
    expect(request.values('x-secret')).toEqual([]);
    expect(request.values('x-later')).toEqual([]);
    expect(request.values('x-other')).toEqual(['2']);
  });

  it('drops what ends at a hop, named or not', async () => {
    const hop = [
      'Keep-Alive: timeout=5',
      'Proxy-Connection: keep-alive',
      'Proxy-Authorization: Basic eA==',
      'Proxy: http://evil',
    ];
    const request = onlyRequest(
      await attack(proxy, shape, '/public', [...hop, 'TE: gzip', 'HTTP2-Settings: AAMAAABk']),
    );
    for (const name of [
      'keep-alive',
      'proxy-connection',
      'proxy-authorization',
      'proxy',
      'te',
      'http2-settings',
    ]) {
      expect(request.values(name), name).toEqual([]);
    }
  });

  it('hands on that the client takes trailers, once, and names that in Connection (RFC 9110 section 10.1.4)', async () => {
    const lines = ['TE: gzip;q=0.5, trailers', 'Connection: TE, X-Secret', 'TE: trailers', 'X-Secret: 1'];
    const request = onlyRequest(await attack(proxy, shape, '/public', lines));
    const passed = ['te', 'connection', 'x-secret'].map((name) => request.values(name));
    // Behind an upgrade comes no answer that could have trailers.
    expect(passed).toEqual(shape === 'upgrade' ? [[], ['Upgrade'], []] : [['trailers'], ['TE'], []]);
  });

  it('cannot turn a caller with a token into a guest with an identity', async () => {
    const lines = ['Connection: Authorization', bearer(proxy.token()), 'X-Cognito-Sub: root'];
    const guest = onlyRequest(await attack(proxy, shape, '/optional', lines));
    expect(guest.headers.filter(([name]) => /^(authorization|x-cognito)/i.test(name))).toEqual([]);
    expectRefusal(await attack(proxy, shape, '/members', lines), 401, 'Unauthorized', 'AUTHN_TOKEN_MISSING');
  });

  it('keeps a trusted peer from losing its own address from the chain', async () => {
    const lines = ['X-Forwarded-For: 203.0.113.7', 'Connection: X-Forwarded-For'];
    const request = onlyRequest(await attack(proxy, shape, '/public', lines));
    expect(request.values('x-forwarded-for')).toEqual(['127.0.0.1']);
  });

  it('sends a Connection of its own where it has something to say', async () => {
    const request = onlyRequest(await attack(proxy, shape, '/public', ['Connection: close']));
    expect(request.values('connection').map((value) => value.toLowerCase())).toEqual(
      shape === 'upgrade' ? ['upgrade'] : [],
    );
  });
});

describe('an ordinary request', () => {
  it('does not become an upgrade upstream', async () => {
    const lines = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk'];
    const response = await proxy.request('GET /public HTTP/1.1', lines);
    expect(response.status).toBe(200);
    const [request] = proxy.upstream.requests;
    for (const name of ['upgrade', 'http2-settings']) expect(request?.values(name)).toEqual([]);
  });

  it('does not lose its framing', async () => {
    await proxy.request('POST /public HTTP/1.1', ['Connection: Content-Length, Host'], 'abc');
    const [request] = proxy.upstream.requests;
    expect(request?.body.toString()).toBe('abc');
    expect(request?.values('host')).toHaveLength(1);
  });
});
