import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/schema/config.ts';
import { explainRequest } from '../../src/explain.ts';
import { createService, type Service } from '../../src/service.ts';
import { problemsOf } from '../support/config-text.ts';
import { bearer, CLIENT_ID, POOL_ID, type ProxyConfig } from '../support/proxy.ts';
import { openRaw, type RawConnection, requestBytes } from '../support/raw-http.ts';
import { recordingLogger } from '../support/recording-logger.ts';
import { ISSUER, prepareSurroundings, type Surroundings } from '../support/served.ts';
import { accessClaims, assembleToken, idClaims, rs256, signToken } from '../support/token-factory.ts';

vi.setConfig({ testTimeout: 60_000 });

const PARTNERS_ISSUER = 'https://issuer-cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Partners1';
const NOW = Math.floor(Date.now() / 1000);

const to = { upstream: 'board' } as const;
const CONFIG: ProxyConfig = {
  userPools: {
    main: { userPoolId: POOL_ID, clientIds: [CLIENT_ID, 'second'], keys: { file: 'jwks.json' } },
    partners: {
      userPoolId: 'eu-central-1_Partners1',
      clientIds: null,
      tokenUse: ['access', 'id'],
      graceSeconds: 60,
      keys: { file: 'jwks.json' },
    },
  },
  routes: [
    { id: 'health', match: { methods: ['GET'], path: '/healthz' }, allow: 'public', ...to },
    { id: 'guests', match: { path: '/guests' }, allow: 'optional', ...to },
    { id: 'posts', match: { methods: ['GET'], path: '/posts/{proxy+}' }, allow: 'authenticated', ...to },
    {
      id: 'write',
      match: { methods: ['POST', 'PUT'], path: '/posts/{id}' },
      allow: { userPools: 'main', groups: ['writers', 'admins'] },
      ...to,
    },
    {
      id: 'own',
      match: { path: '/users/{name}/{part}' },
      allow: { userPools: 'main', claims: { username: '{name}' }, scopes: { noneOf: ['banned'] } },
      ...to,
    },
    {
      id: 'either',
      match: { path: '/either' },
      allow: {
        anyOf: [
          { userPools: 'partners', tokenUse: 'id' },
          { userPools: 'main', allOf: [{ scopes: { allOf: ['posts/write'] } }, { clientIds: ['second'] }] },
        ],
      },
      ...to,
    },
    {
      id: 'files',
      match: { path: '/files/{proxy+}', permit: ['%2F', ';', '//'] },
      allow: 'authenticated',
      ...to,
    },
    {
      id: 'files-admin',
      match: { path: '/files/admin' },
      allow: { userPools: 'main', groups: ['admins'] },
      ...to,
    },
    { id: 'api', match: { host: 'api.example.com', path: '/posts/{id}' }, allow: 'public', ...to },
  ],
};

const HOSTS = [
  'www.example.com',
  'API.example.com:8443',
  'api.example.com.',
  '[2001:db8::1]',
  'evilapi.example.com',
];
const TARGETS = [
  '/',
  '/healthz',
  '/healthz/',
  '/HEALTHZ',
  '/healthz?x=/posts/1',
  '/guests',
  '/posts',
  '/posts/',
  '/posts/1',
  '/posts/1?q=%2e%2e',
  '/posts/1/2',
  '/p%6fsts/1',
  '/posts//1',
  '/posts/../healthz',
  '/posts/%2e%2e/healthz',
  '/posts/a%2fb',
  '/posts/a;b=1',
  '/posts/%',
  '/posts/%zz',
  '/posts/%ff',
  '/posts/é',
  '/posts/日本 語',
  '/posts/%E6%97%A5',
  '/posts/a\\b',
  '/posts/x#y',
  '/posts/x?y#z',
  '/users/alice/profile',
  '/users/Alice/profile',
  '/users/%61lice/profile',
  '/users/bob/profile',
  '/users//profile',
  '/either',
  '/files/a%2Fb',
  '/files/a;b',
  '/files/a//b',
  '/files/admin',
  '/files/Admin',
  '/files/admin.',
  '/files/%2Fadmin',
  '/files/a%5Cb',
  `/${'x'.repeat(8_200)}`,
  '/posts?',
  '//posts/1',
  '*',
];
const METHODS = ['GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS', 'PROPFIND'];
/** Methods, and what is none to node's parser. */
const WORDS = [...METHODS, 'QUERY', 'get', 'Post', 'FOO', 'GETS', 'M-SEARCH'];

describe('explain says what serve does', () => {
  let place: Surroundings;
  let config: Config;
  let service: Service;
  let origin: string;
  let connection: RawConnection | null = null;
  let tokens: Map<string, string | null>;

  beforeAll(async () => {
    place = await prepareSurroundings();
    const source = {
      kind: 'text',
      name: 'c.yaml',
      text: place.complete(CONFIG),
      folder: place.folder,
    } as const;
    const loaded = loadConfig(source, { environment: {} });
    if (!loaded.ok) throw new Error(problemsOf(loaded).join('\n'));
    config = loaded.config;
    service = createService(config, { logger: recordingLogger([]) });
    const { proxy, admin } = await service.start();
    origin = proxy;
    while ((await fetch(`${admin}/readyz`)).status !== 200);
    tokens = makeTokens();
  });
  afterAll(async () => {
    connection?.close();
    await service.stop();
    await place.stop();
  });

  function makeTokens(): Map<string, string | null> {
    const main = { issuer: ISSUER, clientId: CLIENT_ID };
    const partners = { issuer: PARTNERS_ISSUER, clientId: 'anything' };
    const access = (claims: object, subject: object = {}): string =>
      signToken(place.key, accessClaims({ ...main, ...subject }, { ...claims }));
    const partner = (claims: object): string => signToken(place.key, idClaims(partners, { ...claims }));
    const header = { kid: place.key.kid, alg: 'RS256' };
    const body = accessClaims(main);
    return new Map([
      ['nobody', null],
      ['alice', access({})],
      ['a writer', access({}, { groups: ['writers'] })],
      ['an admin', access({}, { groups: ['x', 'admins'] })],
      ['bob, banned', access({}, { username: 'bob', scopes: ['banned'] })],
      ['the second client', access({ client_id: 'second' }, { scopes: ['posts/write', 'x'] })],
      ['another client', access({ client_id: 'third' })],
      ['a machine', access({ username: undefined, sub: 'machine' })],
      ['an ID token of main', signToken(place.key, idClaims(main))],
      ['an ID token of partners', partner({})],
      ['an access token of partners', signToken(place.key, accessClaims(partners))],
      ['one expired', access({ exp: NOW - 5 })],
      ['one expired within grace', partner({ exp: NOW - 5 })],
      ['one expired beyond grace', partner({ exp: NOW - 500 })],
      ['one not yet valid', access({ nbf: NOW + 500 })],
      ['one without exp', access({ exp: undefined })],
      ['one of nobody', access({ iss: 'https://evil.example.com' })],
      ['one without issuer', access({ iss: undefined })],
      ['one without use', access({ token_use: undefined })],
      ['one with a list as client', access({ client_id: [CLIENT_ID] })],
      ['one without sub', access({ sub: undefined })],
      ['groups that are no list', access({ 'cognito:groups': 'writers' })],
      ['no algorithm', assembleToken({ ...header, alg: 'none' }, body, rs256(place.key))],
      ['crit', assembleToken({ ...header, crit: ['exp'] }, body, rs256(place.key))],
      ['no kid', assembleToken({ ...header, kid: undefined }, body, rs256(place.key))],
      ['two parts', 'a.b'],
      ['junk', `${access({})}=`],
      ['too large', access({ filler: 'x'.repeat(13_000) })],
    ]);
  }

  /** What serve does: the code of the refusal, or null when it passed. */
  async function really(method: string, host: string, target: string, token: string | null) {
    connection ??= await openRaw(origin);
    const headers = [`Host: ${host}`, ...(token === null ? [] : [bearer(token)])];
    // Browsers send nothing beyond ASCII, and node would refuse it.
    const sent = target.replace(/[^!-~]/gu, encodeURIComponent);
    connection.send(requestBytes(`${method} ${sent} HTTP/1.1`, headers));
    const answer = await connection.response(method);
    if (answer.header('connection') === 'close') {
      connection.close();
      connection = null;
    }
    if (answer.status === 200) return null;
    return method === 'HEAD' ? answer.status : (answer.json() as { code: string }).code;
  }

  function told(method: string, host: string, target: string, token: string | null) {
    const url = target.startsWith('/') ? `http://${host}${target}` : target;
    const { refusal } = explainRequest(config, { method, url, token, idToken: null, now: Date.now() / 1000 });
    return method === 'HEAD' ? (refusal?.status ?? null) : (refusal?.code ?? null);
  }

  async function compare(
    method: string,
    host: string,
    target: string,
    who: string,
  ): Promise<string | number | null> {
    const token = tokens.get(who) ?? null;
    const did = await really(method, host, target, token);
    expect([method, host, target, who, told(method, host, target, token)]).toEqual([
      method,
      host,
      target,
      who,
      did,
    ]);
    return did;
  }

  it('for every path with every method, whoever asks', async () => {
    const outcomes = new Set<string | number | null>();
    for (const target of TARGETS) {
      for (const method of METHODS) {
        for (const who of ['nobody', 'a writer']) {
          // Explain knows no host for what is no path.
          outcomes.add(await compare(method, 'localhost', target, who));
        }
      }
    }
    for (const outcome of [
      null,
      'ROUTE_NOT_FOUND',
      'ROUTE_METHOD_NOT_ALLOWED',
      'REQUEST_PATH_AMBIGUOUS',
      'REQUEST_TARGET_INVALID',
      'LIMIT_URL',
      'AUTHN_TOKEN_MISSING',
      'AUTHZ_CLAIM_REQUIRED',
    ]) {
      expect(outcomes).toContain(outcome);
    }
  });

  it('for every method, and what is none', async () => {
    for (const word of WORDS) await compare(word, 'localhost', '/healthz', 'nobody');
    expect(told('get', 'localhost', '/healthz', null)).toBe('REQUEST_MALFORMED');
  });

  it('for every host', async () => {
    for (const host of HOSTS) {
      for (const target of ['/posts/1', '/posts/1/2', '/healthz', '/either']) {
        for (const who of ['nobody', 'alice']) await compare('GET', host, target, who);
      }
    }
  });

  it('for every token on every kind of rule', async () => {
    const outcomes = new Set<string | number | null>();
    const targets = [
      '/healthz',
      '/guests',
      '/posts/1',
      '/users/alice/profile',
      '/users/bob/x',
      '/either',
      '/files/admin',
    ];
    for (const who of tokens.keys()) {
      for (const target of targets) outcomes.add(await compare('GET', 'localhost', target, who));
      outcomes.add(await compare('POST', 'localhost', '/posts/1', who));
    }
    const codes = [...outcomes].filter((code) => code !== null);
    expect(codes.filter((code) => String(code).startsWith('AUTHN_')).length).toBeGreaterThanOrEqual(11);
    expect(codes.filter((code) => String(code).startsWith('AUTHZ_')).sort()).toEqual([
      'AUTHZ_CLAIM_REQUIRED',
      'AUTHZ_CONDITIONS_NOT_MET',
      'AUTHZ_GROUP_REQUIRED',
      'AUTHZ_SCOPE_REQUIRED',
      'AUTHZ_USER_POOL_MISMATCH',
    ]);
  });
});
