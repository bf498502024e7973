import { describe, expect, it } from 'vitest';
import { configSchema } from '../../../src/config/schema/config.ts';
import { retarget } from '../../../src/core/outbound.ts';
import { compileUpstreams } from '../../../src/prepare/compile-upstreams.ts';

function compile(upstreams: Record<string, object>): ReturnType<typeof compileUpstreams> {
  const routes = [{ id: 'r', match: { path: '/' }, allow: 'public', upstream: Object.keys(upstreams)[0] }];
  return compileUpstreams(configSchema.parse({ upstreams, routes }), new Map());
}

describe('compileUpstreams', () => {
  it.each([
    ['http://board.test', 'http://board.test', 'board.test', ''],
    ['http://board.test/', 'http://board.test', 'board.test', ''],
    ['http://Board.Test:3000/a/b/', 'http://board.test:3000', 'board.test:3000', '/a/b'],
    ['https://board.test:443/a', 'https://board.test', 'board.test', '/a'],
    ['https://board.test:8443', 'https://board.test:8443', 'board.test:8443', ''],
    ['http://[::1]:3000', 'http://[::1]:3000', '[::1]:3000', ''],
  ])('reads %s', (url, origin, authority, basePath) => {
    expect(compile({ board: { url } }).get('board')?.targets).toEqual([
      { origin, authority, basePath, failures: 0, ejectedUntil: 0 },
    ]);
  });

  it('takes one address or several, and what is said of the upstream', () => {
    const upstreams = compile({
      one: { url: 'http://a.test', host: 'client', retries: 0 },
      many: { urls: ['http://b.test', 'http://c.test'] },
    });
    expect(upstreams.get('one')).toMatchObject({
      name: 'one',
      host: 'client',
      retries: 0,
      next: 0,
      sign: null,
    });
    expect(upstreams.get('many')).toMatchObject({ host: 'upstream', retries: 1 });
    expect(upstreams.get('many')?.targets.map(({ origin }) => origin)).toEqual([
      'http://b.test',
      'http://c.test',
    ]);
  });
});

describe('retarget', () => {
  it.each([
    ['upstream', 'b.test'],
    ['client', 'api.example.com'],
  ])('changes base path and, with the host of the %s, the host', (host, expected) => {
    const upstream = compile({ board: { urls: ['http://a.test/x', 'http://b.test/y'], host } }).get('board');
    if (upstream === undefined) throw new Error('no upstream');
    const [from, to] = upstream.targets;
    if (from === undefined || to === undefined) throw new Error('no targets');
    const outbound = {
      upstream,
      target: from,
      method: 'GET',
      path: '/x/p?q',
      pathAndQuery: '/p?q',
      headers: ['host', host === 'client' ? 'api.example.com' : 'a.test', 'x-a', '1'],
      body: null,
      transform: null,
      contentLength: 0,
    };
    retarget(outbound, to);
    expect(outbound.target).toBe(to);
    expect(outbound.path).toBe('/y/p?q');
    expect(outbound.headers).toEqual(['host', expected, 'x-a', '1']);
  });
});
