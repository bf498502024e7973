/** What is wrong with a configuration is printed and logged: secrets that stand in the wrong place of it must not be. */
import { describe, expect, it } from 'vitest';
import type { ConfigPath } from '../../../src/config/config-path.ts';
import { configSchema } from '../../../src/config/schema/config.ts';
import { EVERY, pathsMarked } from '../../../src/config/schema-tree.ts';
import { loadText, problemsIn, problemsOf } from '../../support/config-text.ts';

const CANARY = 'canary7';
const NUMBER = 707_707_707;
const URL_OF_REDIS = `redis://:${CANARY}@cache:6379/0`;
const PEM = `-----BEGIN PRIVATE KEY-----\n${CANARY}\n-----END PRIVATE KEY-----\n`;
const TOLD = /canary7|707707707/;

const POOL = { userPoolId: 'us-east-1_Test', clientIds: ['app'] };
const IDENTITY_POOL = {
  identityPoolId: 'us-east-1:11111111-2222-3333-4444-555555555555',
  userPool: 'main',
};

/** Every place for a secret, its names filled in, and beside them places that are mixed up with one. */
const PLACES: readonly ConfigPath[] = [
  ...pathsMarked(configSchema, { role: 'hidden' }).map((pattern) =>
    pattern.map((step) => (step === EVERY ? 'main' : step)),
  ),
  ['upstreams', 'main', 'sign', 'credentials', 'source'],
  ['identityPools', 'main', 'logins', 'main', 'credentials', 'source'],
];

/** Each place and everything that holds it, up to the whole. */
const EVERYWHERE = new Map(
  PLACES.flatMap((path) => [...path.keys(), path.length].map((length) => path.slice(0, length))).map(
    (path) => [JSON.stringify(path), path],
  ),
);

/** A configuration with this value at the path, and all around it that can be right. */
function configWith(path: ConfigPath, value: unknown): string {
  const root: Record<string, unknown> = {
    userPools: { main: POOL },
    identityPools: { main: { ...IDENTITY_POOL, logins: { main: { claim: 'sub' } } } },
    upstreams: { main: { url: 'https://board' } },
    routes: [{ id: 'a', match: { path: '/a' }, allow: 'authenticated', upstream: 'main' }],
  };
  const [last, ...outer] = [...path].reverse();
  if (last === undefined) return JSON.stringify(value);
  let holder = root;
  for (const step of outer.reverse()) {
    holder[step] ??= {};
    holder = holder[step] as Record<string, unknown>;
  }
  holder[last] = value;
  return JSON.stringify(root);
}

const WRITTEN: readonly (readonly [string, unknown])[] = [
  ['text', CANARY],
  ['a URL', URL_OF_REDIS],
  ['a number', NUMBER],
  ['a list', [CANARY, NUMBER]],
  ['a mapping', { value: CANARY, other: NUMBER }],
  ['a URL for a file', { file: URL_OF_REDIS }],
  ['a key for a file', { file: PEM }],
  ['a number for a file', { file: NUMBER }],
];

const FORMS: readonly (readonly [string, unknown])[] = [
  ['all of it', '${SECRET}'],
  ['a part of it', 'a-${SECRET}'],
  ['in a list', ['${SECRET}']],
  ['in a mapping', { value: '${SECRET}' }],
  ['as a file', { file: '${SECRET}' }],
  ['as a part of a file', { file: 'run/${SECRET}' }],
];

const SECRETS = [CANARY, URL_OF_REDIS, PEM, String(NUMBER), `${CANARY}/with/slashes`];

describe.each([...EVERYWHERE.keys()])('at %s', (key) => {
  const path = EVERYWHERE.get(key) ?? [];

  it.each(WRITTEN)('%s that stands there is not told', (_, value) => {
    const problems = problemsOf(loadText(configWith(path, value)));
    expect(problems.filter((line) => TOLD.test(line))).toEqual([]);
  });

  it.each(FORMS)('what the environment gives is not told: %s', (_, value) => {
    for (const secret of SECRETS) {
      const result = loadText(configWith(path, value), { environment: { SECRET: secret } });
      expect(problemsOf(result).filter((line) => TOLD.test(line))).toEqual([]);
      // Folders that cannot be watched are named in the log.
      const folders = [...result.files.keys()].map((file) => file.slice(0, file.lastIndexOf('/')));
      expect(folders.filter((folder) => TOLD.test(folder))).toEqual([]);
    }
  });
});

it.each([
  '*canary7',
  '!canary7',
  '|canary7',
  '>-canary7',
  '"\\xcanary7"',
  '"\\canary7"',
  '%canary7',
  '@canary7',
  '`canary7',
  '[a] canary7',
  '"a" canary7',
  '] canary7',
  'canary7: x: y',
  '&canary7 *canary7',
])('a secret that is no YAML is not told: %s', (written) => {
  for (const yaml of [
    `rateLimits: { store: { redis: ${written} } }`,
    `rateLimits:\n  store:\n    redis: ${written}`,
  ]) {
    const problems = problemsIn(yaml);
    expect(problems).not.toEqual([]);
    expect(problems.filter((line) => TOLD.test(line))).toEqual([]);
  }
});

describe('what the environment gives', () => {
  const KEYS = 'main: { userPoolId: us-east-1_Test, clientIds: [app], keys: { file: "${X}" } }';

  it.each<readonly [title: string, yaml: string, secret: string, lines: readonly string[]]>([
    [
      'in place of a choice',
      'log: { level: "${X}" }',
      CANARY,
      [
        'c.yaml:1:15: log.level: expected "fatal", "error", "warn", "info", "debug" or "silent", got the value of "${X}"',
      ],
    ],
    [
      'as a number, where a smaller one is wanted',
      'upstreams: { board: { url: "http://board", retries: "${X}" } }',
      String(NUMBER),
      ['c.yaml:1:53: upstreams.board.retries: expected at most 5, got the value of "${X}"'],
    ],
    [
      'in place of a name',
      'routes: [{ id: a, match: { path: /a }, allow: public, upstream: "${X}" }]',
      CANARY,
      ['c.yaml:1:65: routes[0].upstream: there is no upstream that "${X}" names, expected "board"'],
    ],
    [
      'in place of a segment',
      'routes: [{ id: a, match: { path: "/a{${X}" }, allow: public, upstream: board }]',
      CANARY,
      [
        'c.yaml:1:34: routes[0].match.path: expected {name} or {name+} as a whole segment, got the value of "/a{${X}"',
      ],
    ],
    [
      'in place of a key set',
      `userPools: { ${KEYS} }`,
      CANARY,
      [
        'c.yaml:1:82: userPools.main.keys.file: the file that "${X}" names cannot be read: there is no such file',
      ],
    ],
    [
      'in place of the path of a secret',
      'rateLimits: { store: { redis: { file: "${X}" } }, onStoreFailure: open }',
      CANARY,
      [
        'c.yaml:1:31: rateLimits.store.redis: the file that "${X}" names cannot be read: there is no such file',
      ],
    ],
    [
      'in place of that path, as a URL',
      'rateLimits: { store: { redis: { file: "${X}" } }, onStoreFailure: open }',
      URL_OF_REDIS,
      ['c.yaml:1:31: rateLimits.store.redis: the file named here cannot be read: there is no such file'],
    ],
    [
      'in place of the store',
      'rateLimits: { store: "${X}" }',
      URL_OF_REDIS,
      ['c.yaml:1:22: rateLimits.store: expected "memory" or { redis: ... }'],
    ],
    [
      'and is empty, which is no secret',
      'rateLimits: { store: "${X}" }',
      '',
      ['c.yaml:1:22: rateLimits.store: expected "memory" or { redis: ... }, got ""'],
    ],
  ])('%s is named by its variable', (_, yaml, secret, lines) => {
    expect(problemsIn(yaml, { environment: { X: secret } })).toEqual(lines);
  });
});

it('a file that is not there yet is watched, by whatever it is named', () => {
  const environment = { NAME: 'key.pem' };
  const key = (file: string) => configWith(['server', 'tls'], { cert: { file: 'crt.pem' }, key: { file } });
  const watched = (text: string) => [...loadText(text, { environment }, '/').files.keys()];
  expect(watched(key('key.pem'))).toEqual(['/crt.pem', '/key.pem']);
  expect(watched(key('${NAME}'))).toEqual(['/crt.pem', '/key.pem']);
  expect(watched(key('no/such/folder/key.pem'))).toEqual(['/crt.pem', '/no/such/folder/key.pem']);
  expect(watched(key('no/such/folder/${NAME}'))).toEqual(['/crt.pem']);
});
