import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import type { Config } from '../../../src/config/schema/config.ts';
import type { Environment } from '../../../src/config/substitute.ts';
import { configOf, problemsIn, problemsOf } from '../../support/config-text.ts';

const ENOUGH = { USER_POOL_ID: 'us-east-1_Abc', CLIENT_IDS: 'one', UPSTREAM_URL: 'http://board:3000' };

function load(environment: Environment): Config {
  const result = loadConfig({ kind: 'environment' }, { environment });
  if (!result.ok) throw new Error(problemsOf(result).join('\n'));
  return result.config;
}

/** The routes in few words: path and rule. */
function rulesOf(environment: Environment): unknown[] {
  return load({ ...ENOUGH, ...environment }).routes.map((route) => [route.match.path, route.allow]);
}

describe('a configuration from the environment alone', () => {
  it('is one pool, one upstream, and every path for whoever has a token that verifies', () => {
    const config = load(ENOUGH);
    expect(config.userPools).toMatchObject({ main: { userPoolId: 'us-east-1_Abc', clientIds: ['one'] } });
    expect(config.upstreams).toMatchObject({ main: { url: 'http://board:3000' } });
    expect(config.routes.map(({ id, match, allow, upstream }) => [id, match.path, allow, upstream])).toEqual([
      ['root', '/', 'authenticated', 'main'],
      ['all', '/{proxy+}', 'authenticated', 'main'],
    ]);
  });

  it.each([
    ['one', ['one']],
    ['one,two', ['one', 'two']],
    [' one , two ,', ['one', 'two']],
    ['null', null],
    ['123', ['123']],
  ])('CLIENT_IDS=%s', (value, clientIds) => {
    expect(load({ ...ENOUGH, CLIENT_IDS: value }).userPools['main']?.clientIds).toEqual(clientIds);
  });

  it.each([
    [{ REQUIRED_GROUPS: 'a,b' }, { groups: ['a', 'b'] }],
    [{ REQUIRED_SCOPES: 'x/read' }, { scopes: ['x/read'] }],
    [
      { REQUIRED_GROUPS: 'a', REQUIRED_SCOPES: 'x, y' },
      { groups: ['a'], scopes: ['x', 'y'] },
    ],
  ])('%j', (environment, allow) => {
    expect(rulesOf(environment)).toEqual([
      ['/', allow],
      ['/{proxy+}', allow],
    ]);
  });

  it.each([
    [
      '/healthz',
      [
        ['/healthz', 'public'],
        ['/', 'authenticated'],
        ['/{proxy+}', 'authenticated'],
      ],
    ],
    [
      '/',
      [
        ['/', 'public'],
        ['/{proxy+}', 'authenticated'],
      ],
    ],
    [
      '/static/*, /favicon.ico,/favicon.ico',
      [
        ['/static/{proxy+}', 'public'],
        ['/favicon.ico', 'public'],
        ['/', 'authenticated'],
        ['/{proxy+}', 'authenticated'],
      ],
    ],
    [
      '',
      [
        ['/', 'authenticated'],
        ['/{proxy+}', 'authenticated'],
      ],
    ],
  ])('PUBLIC_PATHS=%s', (value, rules) => {
    expect(rulesOf({ PUBLIC_PATHS: value })).toEqual(rules);
  });

  it.each<[string, Environment, string[]]>([
    [
      'nothing but a pool',
      { USER_POOL_ID: 'us-east-1_Abc' },
      [
        'UPSTREAM_URL: upstreams.main.url: is missing',
        'CLIENT_IDS: userPools.main.clientIds: is missing: list the app clients whose tokens are accepted, or write null to accept any client of this pool',
      ],
    ],
    ['no pool', { ...ENOUGH, USER_POOL_ID: '' }, ['USER_POOL_ID: userPools.main.userPoolId: is missing']],
    [
      'wrong values',
      { USER_POOL_ID: 'abc', CLIENT_IDS: 'one', UPSTREAM_URL: 'board:3000' },
      [
        'USER_POOL_ID: userPools.main.userPoolId: expected a user pool id such as us-east-1_AbCdEf123, got "abc"',
        'UPSTREAM_URL: upstreams.main.url: expected an absolute URL that starts with http:// or https://',
      ],
    ],
    [
      'requirements that are set to nothing',
      { ...ENOUGH, REQUIRED_GROUPS: '', REQUIRED_SCOPES: ' , ' },
      [
        'REQUIRED_GROUPS: routes[0].allow.groups: is set but empty: name at least one, or unset it to require no groups',
        'REQUIRED_SCOPES: routes[0].allow.scopes: is set but empty: name at least one, or unset it to require no scopes',
      ],
    ],
    [
      'public paths that are none',
      { ...ENOUGH, PUBLIC_PATHS: 'healthz,/a/*/b,/{id},/a//b,/ok' },
      [
        'PUBLIC_PATHS: routes[0].match.path: expected exact paths, or paths that end in /*, got "healthz"',
        'PUBLIC_PATHS: routes[1].match.path: expected exact paths, or paths that end in /*, got "/a/*/b"',
        'PUBLIC_PATHS: routes[2].match.path: expected exact paths, or paths that end in /*, got "/{id}"',
        'PUBLIC_PATHS: routes[3].match.path: an empty segment ("//") is refused in requests unless match.permit names it',
      ],
    ],
    [
      'everything public',
      { ...ENOUGH, PUBLIC_PATHS: '/*' },
      [
        'PUBLIC_PATHS: routes[0].match.path: "/*" would let everybody in everywhere: name the paths that are public',
      ],
    ],
    [
      'single keys',
      { ...ENOUGH, LISTEN: '8080', WORKERS: 'many', LOG_LEVEL: 'verbose', ADMIN_LISTEN: 'x' },
      [
        'LISTEN: server.listen: expected host:port, such as 0.0.0.0:8080, got "8080"',
        'WORKERS: server.workers: expected "auto" or a whole number, got "many"',
        'ADMIN_LISTEN: admin.listen: expected host:port, such as 0.0.0.0:8080, got "x"',
        'LOG_LEVEL: log.level: expected "fatal", "error", "warn", "info", "debug" or "silent", got "verbose"',
      ],
    ],
  ])('says what is wrong with %s', (_, environment, lines) => {
    const found = problemsOf(loadConfig({ kind: 'environment' }, { environment }));
    expect(found.toSorted()).toEqual(lines.toSorted());
  });
});

describe('variables that set a single key', () => {
  const FILE = `
    server: { listen: "127.0.0.1:1000", workers: 3 }
    admin: { listen: "127.0.0.1:1001" }
    log: { level: warn }
  `;

  it('win over the file', () => {
    const environment = { LISTEN: ':80', WORKERS: 'auto', ADMIN_LISTEN: '[::1]:81', LOG_LEVEL: 'debug' };
    const { server, admin, log } = configOf(FILE, { environment });
    expect([server.listen, server.workers, admin.listen, log.level]).toEqual([
      { host: '::', port: 80 },
      'auto',
      { host: '::1', port: 81 },
      'debug',
    ]);
  });

  it('leave the file alone when they are empty', () => {
    const { server, log } = configOf(FILE, { environment: { LISTEN: '', LOG_LEVEL: ' ', WORKERS: '' } });
    expect([server.listen.port, server.workers, log.level]).toEqual([1000, 3, 'warn']);
  });

  it('number the workers', () => {
    expect(configOf(FILE, { environment: { WORKERS: '2' } }).server.workers).toBe(2);
  });

  it('are named in place of a position', () => {
    expect(problemsIn(FILE, { environment: { LISTEN: 'nowhere' } })).toEqual([
      'LISTEN: server.listen: expected host:port, such as 0.0.0.0:8080, got "nowhere"',
    ]);
  });

  it.each<[string, string, Environment, number]>([
    ['takes the place of the default', '', { DEFAULT_ADMIN_LISTEN: '0.0.0.0:82' }, 82],
    ['yields to the file', FILE, { DEFAULT_ADMIN_LISTEN: '0.0.0.0:82' }, 1001],
    ['yields to ADMIN_LISTEN', '', { DEFAULT_ADMIN_LISTEN: '0.0.0.0:82', ADMIN_LISTEN: ':83' }, 83],
  ])('DEFAULT_ADMIN_LISTEN %s', (_, text, environment, port) => {
    expect(configOf(text, { environment }).admin.listen.port).toBe(port);
  });
});
