import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { OPEN_ROUTE } from '../support/open-route.ts';
import { type ProxyUnderTest, startProxy } from '../support/proxy.ts';
import { answer, chunked, raw } from '../support/upstream-answers.ts';

const ORIGIN = 'https://app.example.com';

let proxy: ProxyUnderTest;

beforeAll(async () => {
  proxy = await startProxy({
    routes: [
      OPEN_ROUTE,
      {
        ...OPEN_ROUTE,
        id: 'cors',
        match: { path: '/cors/{path+}' },
        cors: { origins: [ORIGIN], exposeHeaders: ['x-total'], credentials: true },
      },
      { ...OPEN_ROUTE, id: 'cors-upstream', match: { path: '/their-cors/{path+}' }, cors: 'upstream' },
      {
        ...OPEN_ROUTE,
        id: 'rewritten',
        match: { path: '/users/{path+}' },
        rewrite: { stripPrefix: '/users' },
      },
    ],
  });
});
afterAll(() => proxy.stop());
beforeEach(() => proxy.upstream.forget());

const get = (path: string, ...headerLines: string[]) => proxy.request(`GET ${path} HTTP/1.1`, headerLines);

/** The names that the upstream sent, as they arrive: without those that the proxy adds to every answer. */
const namesOf = (answer: { headers: readonly (readonly [string, string])[] }): string[] =>
  answer.headers
    .map(([name]) => name)
    .filter((name) => !/^(x-request-id|date|connection|keep-alive)$/i.test(name));

describe('the header section of an answer', () => {
  it('has each repeated field on a line of its own, as it was', async () => {
    const lines = ['Set-Cookie: a=1; Path=/', 'Set-Cookie: b=2, c', 'Link: </a>', 'Link: </b>'];
    proxy.upstream.on('/repeated', answer(200, '', lines));
    const { headers } = await get('/repeated');
    expect(headers.filter(([name]) => /cookie|link/.test(name))).toEqual([
      ['set-cookie', 'a=1; Path=/'],
      ['set-cookie', 'b=2, c'],
      ['link', '</a>'],
      ['link', '</b>'],
    ]);
  });

  it('keeps its order', async () => {
    proxy.upstream.on('/ordered', answer(200, '', ['Zeta: 1', 'Alpha: 2', 'ETag: "x"', 'Beta: 3']));
    expect(namesOf(await get('/ordered'))).toEqual(['content-length', 'zeta', 'alpha', 'etag', 'beta']);
  });

  it.each([
    ['obs-text', 'X-Name: caf\xe9 \xff', 'caf\xe9 \xff'],
    ['tabs and inner spaces', 'X-Name: a\tb  c', 'a\tb  c'],
    ['an empty value', 'X-Name:', ''],
    ['no white space', 'X-Name:tight', 'tight'],
    ['8 KiB', `X-Name: ${'v'.repeat(8192)}`, 'v'.repeat(8192)],
    ['60 kB', `X-Name: ${'v'.repeat(60_000)}`, 'v'.repeat(60_000)],
  ])('hands on a value of %s', async (_what, line, value) => {
    proxy.upstream.on('/value', answer(200, '', [line]));
    const got = await get('/value');
    expect([got.status, got.header('x-name')]).toEqual([200, value]);
  });

  it.each(['__proto__', 'constructor', 'toString'])('hands on a field called %s', async (name) => {
    proxy.upstream.on('/odd', answer(200, 'ok', [`${name}: odd`, `${name}: odder`]));
    const { headers, text } = await get('/odd');
    expect([text, headers.filter(([key]) => key.toLowerCase() === name.toLowerCase()).length]).toEqual([
      'ok',
      2,
    ]);
  });

  it.each([
    ['a plain one', 'Teapot', 'Teapot'],
    ['an empty one', '', ''],
    ['UTF-8, byte for byte', 'caf\xc3\xa9', 'caf\xc3\xa9'],
  ])('takes over the reason phrase: %s', async (_what, sent, reason) => {
    proxy.upstream.on('/reason', raw(`HTTP/1.1 218 ${sent}\r\nContent-Length: 0\r\n\r\n`));
    const got = await get('/reason');
    expect([got.status, got.reason]).toEqual([218, reason]);
  });

  it.each([
    ['Keep-Alive', 'Keep-Alive: timeout=9'],
    ['Proxy-Authenticate', 'Proxy-Authenticate: Basic'],
    ['Proxy-Connection', 'Proxy-Connection: keep-alive'],
    ['TE', 'TE: trailers'],
    ['Upgrade', 'Upgrade: h2c'],
    ['X-Hop', 'Connection: X-Hop, close', 'X-Hop: 1'],
    ['X-Hop', 'Connection: x-HOP', 'X-Hop: 1'],
    ['X-Hop', 'Connection: close', 'Connection: x-hop', 'X-Hop: 1'],
  ])('has not what belongs to one hop: %s', async (name, ...lines) => {
    proxy.upstream.on('/hop', answer(200, 'ok', lines));
    const got = await get('/hop');
    const values = got.headers.filter(([key]) => key.toLowerCase() === name.toLowerCase());
    expect(got.text).toBe('ok');
    // Node's own Keep-Alive, for our hop, is another matter.
    expect(values.map(([, value]) => value).filter((value) => value !== 'timeout=75')).toEqual([]);
  });

  it('has our request id, not the upstream’s', async () => {
    proxy.upstream.on('/id', answer(200, '', ['X-Request-Id: theirs']));
    const got = await get('/id', 'X-Request-Id: ours-1');
    expect(got.header('x-request-id')).toBe('ours-1');
    expect((await proxy.upstream.request(0)).values('x-request-id')).toEqual(['ours-1']);
  });

  it('has no length of its own beside chunked', async () => {
    proxy.upstream.on('/chunked', chunked(['one', 'two']));
    const got = await get('/chunked');
    expect([got.text, got.header('content-length'), got.header('transfer-encoding')]).toEqual([
      'onetwo',
      undefined,
      'chunked',
    ]);
  });

  it('has none of helmet’s headers: what an upstream’s page may do is the upstream’s to say', async () => {
    const got = await get('/page');
    expect(got.header('content-security-policy')).toBeUndefined();
    expect(got.header('x-frame-options')).toBeUndefined();
  });
});

describe('CORS', () => {
  const THEIRS = [
    'Access-Control-Allow-Origin: *',
    'Access-Control-Allow-Credentials: false',
    'ACCESS-CONTROL-EXPOSE-HEADERS: x-theirs',
    'Access-Control-Max-Age: 1',
  ];
  const corsOf = (got: { headers: readonly (readonly [string, string])[] }) =>
    got.headers.filter(([name]) => name.toLowerCase().startsWith('access-control-'));

  it('answered by the proxy leaves nothing of the upstream’s', async () => {
    proxy.upstream.on('/cors/x', answer(200, '', THEIRS));
    expect(corsOf(await get('/cors/x', `Origin: ${ORIGIN}`))).toEqual([
      ['access-control-allow-origin', ORIGIN],
      ['access-control-allow-credentials', 'true'],
      ['access-control-expose-headers', 'x-total'],
    ]);
    expect(corsOf(await get('/cors/x', 'Origin: https://evil.example'))).toEqual([]);
  });

  it.each(['/their-cors/x', '/none'])('left to the upstream passes: %s', async (path) => {
    proxy.upstream.on(path, answer(200, '', THEIRS));
    expect(corsOf(await get(path, `Origin: ${ORIGIN}`))).toHaveLength(4);
  });
});

describe('where a request goes', () => {
  it('is the upstream’s host and base path, with the prefix taken off and the query kept', async () => {
    const { origin } = proxy.upstream;
    const other = await startProxy({
      upstreams: {
        board: { url: `${origin}/base/` },
        named: { url: `${origin}/named`, host: 'client' },
      },
      routes: [
        { ...OPEN_ROUTE, rewrite: { stripPrefix: '/api' }, match: { path: '/api/{path+}' } },
        { ...OPEN_ROUTE, id: 'root', rewrite: { stripPrefix: '/whole' }, match: { path: '/whole' } },
        { ...OPEN_ROUTE, id: 'named', upstream: 'named', match: { path: '/n/{path+}' } },
      ],
    });
    await other.request('GET /api/v1/x%20y?a=/api&b HTTP/1.1');
    await other.request('GET /whole?q HTTP/1.1');
    await other.request('GET /n/x HTTP/1.1', ['Host: Client.Example:8443']);
    await other.stop();
    const seen = proxy.upstream.requests.map(({ target, values }) => [target, values('host')]);
    const host = [new URL(origin).host];
    expect(seen).toEqual([
      ['/base/v1/x%20y?a=/api&b', host],
      ['/base/?q', host],
      ['/named/n/x', ['Client.Example:8443']],
    ]);
  });

  it('is said once: one Host, no Connection, no Expect', async () => {
    await get('/once', 'Connection: close, x-drop', 'X-Drop: 1', 'X-Keep: caf\xe9');
    const seen = await proxy.upstream.request(0);
    expect(seen.requestLine).toBe('GET /once HTTP/1.1');
    expect(['host', 'connection', 'x-drop', 'x-keep'].map(seen.values)).toEqual([
      [new URL(proxy.upstream.origin).host],
      [],
      [],
      ['caf\xe9'],
    ]);
  });
});
