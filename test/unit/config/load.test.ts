import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fingerprint } from '../../../src/config/fingerprint.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { KEY_VARIABLES, PAIR_A, PAIR_B, REFERRED_A, REFERRED_B } from '../../support/certificates.ts';
import { complete, configOf, loadText, problemsIn, problemsOf } from '../../support/config-text.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'load-test-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Writes a file into the folder and gives its path. */
function put(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe('loading a file', () => {
  it('fills in the defaults, in milliseconds and lower case', () => {
    const config = configOf(`
      identity: { headers: { X-User: username } }
      routes:
        - { id: a, match: { path: /a, host: API.example.com }, allow: public, upstream: board }
    `);
    expect(config.server.timeouts).toEqual({
      headers: 15_000,
      bodyIdle: 30_000,
      idle: 75_000,
      webSocketIdle: 600_000,
    });
    expect(config.server.listen).toEqual({ host: '0.0.0.0', port: 8080 });
    expect(config.identity.headers).toEqual({ 'x-user': 'username' });
    expect(config.routes[0]?.match).toEqual({ path: '/a', host: 'api.example.com', permit: [] });
    expect(config.tokenSources).toEqual(['authorization']);
    expect(config.cors).toBeNull();
  });

  it('is plain JSON all through', () => {
    const config = configOf('userPools: { main: { userPoolId: us-east-1_Abc, clientIds: null } }');
    expect(JSON.parse(JSON.stringify(config))).toEqual(config);
  });

  it('reads secrets from files relative to its own folder, without the line break at their end', () => {
    mkdirSync(join(folder, 'tls'));
    put('tls/server.crt', PAIR_A.cert);
    put('tls/server.key', `${PAIR_A.key}\n\n`);
    const path = put(
      'config.yaml',
      complete('server: { tls: { cert: { file: tls/server.crt }, key: { file: ./tls/server.key } } }'),
    );
    const result = loadConfig({ kind: 'file', path }, { environment: {} });
    expect(problemsOf(result)).toEqual([]);
    expect(result.ok && result.config.server.tls).toEqual({
      cert: PAIR_A.cert.trimEnd(),
      key: PAIR_A.key.trimEnd(),
    });
  });

  it('names every file it read, with what was in it, for the watcher', () => {
    const keys = put('jwks.json', '{ "keys": [{}] }');
    const path = put(
      'keys.yaml',
      complete(`
        userPools:
          main: { userPoolId: us-east-1_Abc, clientIds: null, keys: { file: jwks.json } }
        upstreams:
          board: { url: https://board, tls: { ca: { file: missing.pem } } }
      `),
    );
    const result = loadConfig({ kind: 'file', path }, { environment: {} });
    expect(result.ok).toBe(false);
    expect(result.files).toEqual(
      new Map([
        [path, fingerprint(path)],
        [keys, fingerprint(keys)],
        [join(folder, 'missing.pem'), null],
      ]),
    );
  });

  it('leaves a claim and a header called file alone', () => {
    const config = configOf(`
      identity: { headers: { file: file } }
      routes:
        - { id: a, match: { path: /a }, allow: { claims: { file: x } }, upstream: board }
    `);
    expect(config.identity.headers).toEqual({ file: 'file' });
    expect(config.routes[0]?.allow).toEqual({ claims: { file: 'x' } });
  });

  it.each([
    ['is not there', 'nowhere.yaml', 'nowhere.yaml: cannot be read: there is no such file'],
    ['is a folder', '.', '.: cannot be read: it is a folder'],
  ])('says so when it %s', (_, name, line) => {
    const result = loadConfig({ kind: 'file', path: join(folder, name), name }, { environment: {} });
    expect(problemsOf(result)).toEqual([line]);
  });

  it.each([
    ['nothing', ''],
    ['only comments', '# later\n'],
  ])('refuses a file with %s in it', (_, text) => {
    expect(problemsOf(loadText(text))).toEqual(['c.yaml:1:1: the file is empty']);
  });

  it('refuses a list for the whole', () => {
    expect(problemsOf(loadText('- a\n'))).toEqual(['c.yaml:1:1: expected a mapping, got a list']);
  });

  it('reports what YAML, variables, schema and references have to say together, in the order of the file', () => {
    expect(
      problemsIn(`
        server: { listen: "\${UNSET}", workers: none }
        log: { level: info }
        routes:
          - { id: a, match: { path: /a/../b }, allow: public, upstream: bord }
          - { id: a, match: { path: /a }, allow: publik, upstream: bord }
          - { id: a, match: { path: /b }, allow: public, upstream: board }
        log: {}
      `),
    ).toEqual([
      'c.yaml:1:19: server.listen: the environment variable UNSET is not set, and ${UNSET} gives no default',
      'c.yaml:1:40: server.workers: expected "auto" or a whole number, got "none"',
      'c.yaml:4:29: routes[0].match.path: "." and ".." are refused as segments of a path',
      'c.yaml:4:65: routes[0].upstream: there is no upstream "bord", did you mean "board"?',
      'c.yaml:5:42: routes[1].allow: expected "public", "optional", "authenticated" or a mapping, got "publik", did you mean "public"?',
      'c.yaml:6:11: routes[2].id: "a" is the id of routes[0] already',
      'c.yaml:7:1: log: this key is there twice',
    ]);
  });
});

describe('what is right', () => {
  it.each([
    [
      'http issuers in dev',
      'userPools: { main: { userPoolId: local_1, clientIds: null, issuer: "http://127.0.0.1:9229/local_1" } }',
      true,
    ],
    [
      'an emulator of the credentials service on loopback',
      'identityPools: { a: { identityPoolId: "us-east-1:11111111-2222-3333-4444-555555555555", userPool: main, endpoint: "http://localhost:4566" } }',
      false,
    ],
    [
      'one path for different methods',
      'routes: [{ id: a, match: { path: "/x/{a}", methods: [GET] }, allow: public, upstream: board }, { id: b, match: { path: "/x/{b}", methods: [POST] }, allow: public, upstream: board }, { id: c, match: { path: "/x/{c}" }, allow: public, upstream: board }]',
      false,
    ],
    [
      'one path on different hosts',
      'routes: [{ id: a, match: { path: /x, host: a.example.com }, allow: public, upstream: board }, { id: b, match: { path: /x }, allow: public, upstream: board }]',
      false,
    ],
    [
      'static, parameter and greedy side by side',
      'routes: [{ id: a, match: { path: "/x" }, allow: public, upstream: board }, { id: b, match: { path: "/{x}" }, allow: public, upstream: board }, { id: c, match: { path: "/{x+}" }, allow: public, upstream: board }, { id: d, match: { path: "/x/" }, allow: public, upstream: board }]',
      false,
    ],
    [
      'spellings that the route permits',
      'routes: [{ id: a, match: { path: "/a%2Fb;c//d", permit: ["%2F", ";", "//"] }, allow: public, upstream: board }]',
      false,
    ],
    [
      'a path parameter in a claim',
      'routes: [{ id: a, match: { path: "/users/{userId}/{rest+}" }, allow: { anyOf: [{ claims: { sub: ["{userId}", root] } }] }, upstream: board, rewrite: { stripPrefix: /users } }]',
      false,
    ],
    [
      'a whole static path to strip',
      'routes: [{ id: a, match: { path: /a/b }, allow: public, upstream: board, rewrite: { stripPrefix: /a/b } }]',
      false,
    ],
    [
      'two pools that are named where it matters',
      'userPools: { a: { userPoolId: us-east-1_A, clientIds: null }, b: { userPoolId: us-east-1_B, clientIds: null } }\nroutes: [{ id: a, match: { path: /a }, allow: { allOf: [{ userPools: a }, { groups: x }] }, upstream: board }, { id: b, match: { path: /b }, allow: authenticated, upstream: board }]',
      false,
    ],
    [
      'no user pool where all is public',
      'userPools: {}\nroutes: [{ id: a, match: { path: /a }, allow: public, upstream: board }]',
      false,
    ],
    [
      'an anchor and its alias',
      'upstreams: { board: { url: http://a, timeouts: &slow { response: 90s } }, b: { url: http://b, timeouts: *slow } }',
      false,
    ],
    ['any origin without credentials', 'cors: { origins: ["*"] }', false],
    [
      'admin and public port of one number on different addresses',
      'server: { listen: 10.0.0.1:9090 }',
      false,
    ],
    ['port 0 for both', 'server: { listen: 127.0.0.1:0 }\nadmin: { listen: 127.0.0.1:0 }', false],
  ])('accepts %s', (_, text, dev) => {
    expect(problemsIn(text, { dev })).toEqual([]);
  });
});

describe('certificates and keys', () => {
  const text = (pair: { cert: string; key: string }, section: (json: string) => string): string =>
    section(JSON.stringify(pair));
  const served = (json: string): string => `server: { tls: ${json} }`;
  const shown = (json: string): string => `upstreams: { board: { url: https://board, tls: ${json} } }`;

  it.each([
    ['that belong together, to be served', text(REFERRED_A, served), []],
    ['that belong together, to be shown', text(REFERRED_A, shown), []],
    [
      'that do not belong together, to be served',
      text({ cert: PAIR_A.cert, key: REFERRED_B.key }, served),
      ['c.yaml:1:16: server.tls: the certificate and the key do not belong together'],
    ],
    [
      'that do not belong together, to be shown',
      text({ cert: PAIR_A.cert, key: REFERRED_B.key }, shown),
      ['c.yaml:1:48: upstreams.board.tls: the certificate and the key do not belong together'],
    ],
    [
      'of an authority',
      `upstreams: { board: { url: https://board, tls: { ca: ${JSON.stringify(PAIR_A.cert + PAIR_B.cert)} } } }`,
      [],
    ],
    [
      'of an authority, cut short',
      `upstreams: { board: { url: https://board, tls: { ca: ${JSON.stringify(PAIR_A.cert + PAIR_B.cert.replace('MII', 'AAA'))} } } }`,
      ['c.yaml:1:54: upstreams.board.tls.ca: expected certificates in PEM'],
    ],
  ])('%s', (_, yaml, lines) => {
    expect(problemsIn(yaml, { environment: KEY_VARIABLES })).toEqual(lines);
  });

  it('an empty file is no secret', () => {
    put('empty', '\n');
    const file = join(folder, 'empty');
    expect(
      problemsIn(`upstreams: { board: { url: https://board, tls: { ca: { file: empty } } } }`, {}, folder),
    ).toEqual([`c.yaml:1:54: upstreams.board.tls.ca: the file ${file} is empty`]);
  });

  it('a key set on disk must be one', () => {
    put('other.json', '{ "keys": {} }');
    const file = join(folder, 'other.json');
    const yaml =
      'userPools: { main: { userPoolId: us-east-1_A, clientIds: null, keys: { file: other.json } } }';
    expect(problemsIn(yaml, {}, folder)).toEqual([
      `c.yaml:1:78: userPools.main.keys.file: the file ${file} is not a JSON Web Key Set: expected { "keys": [...] }`,
    ]);
  });
});
