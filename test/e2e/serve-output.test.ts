import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { LOG_FIELDS } from '../../src/core/log-fields.ts';
import { PAIR_A } from '../support/certificates.ts';
import { bearer, CLIENT_ID, POOL_ID, type ProxyConfig } from '../support/proxy.ts';
import { openRaw, type RawResponse, requestBytes } from '../support/raw-http.ts';
import type { LogLine } from '../support/recording-logger.ts';
import {
  followServe,
  ISSUER,
  prepareSurroundings,
  runServe,
  type Served,
  type Surroundings,
} from '../support/served.ts';
import { assembleToken, makeKey, rs256, signToken } from '../support/token-factory.ts';
import { closeAfter, reset, shortBody } from '../support/upstream-answers.ts';

// Every test starts processes of its own, on machines that may have little to give.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

/** Planted wherever a secret may stand; none may turn up in what the proxy says for itself. */
const CANARY = 'canary-7f3a9c';
const encoded = (text: string): string => Buffer.from(text).toString('base64url');

const CONFIG: ProxyConfig = {
  server: { tls: null, trustedProxies: ['127.0.0.0/8'] },
  tokenSources: ['authorization', { query: 'access_token' }, { cookie: 'session' }, { header: 'x-token' }],
  userPools: {
    main: { userPoolId: POOL_ID, clientIds: [CLIENT_ID], keys: { file: 'jwks.json' } },
  },
  log: { level: 'debug' },
  routes: [
    { id: 'open', match: { path: '/open/{proxy+}' }, allow: 'public', upstream: 'board' },
    { id: 'posts', match: { path: '/posts' }, allow: 'authenticated', upstream: 'board' },
    {
      id: 'own',
      match: { path: '/users/{name}' },
      allow: { claims: { username: '{name}' }, groups: ['writers'] },
      upstream: 'board',
    },
    { id: 'broken', match: { path: '/broken/{proxy+}' }, allow: 'authenticated', upstream: 'board' },
    { id: 'down', match: { path: '/down' }, allow: 'authenticated', upstream: 'nobody' },
  ],
};

describe('what serve says', () => {
  let place: Surroundings;
  let served: Served;
  /** Answers that the proxy made itself, whole. */
  const refusals: string[] = [];
  let statuses: number[] = [];
  let everything = '';

  beforeAll(async () => {
    place = await prepareSurroundings();
    const upstreams = { board: { url: place.upstream.origin }, nobody: { url: 'http://127.0.0.1:1' } };
    const file = place.write('some.yaml', place.complete({ ...CONFIG, upstreams }));
    served = await followServe(runServe(place.folder, ['serve', '--config', file]));
    statuses = await plant();

    place.write('broken.key', `-----BEGIN PRIVATE KEY-----\n${CANARY}\n-----END PRIVATE KEY-----`);
    const secrets = { cert: PAIR_A.cert, key: { file: 'broken.key' } };
    place.write('some.yaml', place.complete({ ...CONFIG, upstreams, server: { tls: secrets } }));
    await served.logged('configuration refused; the last good one stays in force');

    const pages = await Promise.all(
      ['metrics', 'routes', '', 'readyz', `metrics?x=${CANARY}`].map((path) =>
        fetch(`${served.admin}/${path}`),
      ),
    );
    const texts = await Promise.all(pages.map((page) => page.text()));
    expect(await served.stop()).toBe(0);
    everything = [
      ...served.log.map((line) => JSON.stringify(line)),
      ...texts,
      ...refusals,
      served.program.complaints,
    ].join('\n');
  });
  afterAll(async () => {
    served.program.signal('SIGKILL');
    await place.stop();
  });

  /** Sends secrets in every place that a request has, to every fate that it can meet; gives the statuses. */
  async function plant(): Promise<number[]> {
    const { upstream } = place;
    upstream.on('/broken/reset', reset());
    upstream.on('/broken/garbage', closeAfter(`${CANARY} this is no HTTP\r\n\r\n`));
    upstream.on('/broken/short', shortBody(100, CANARY));
    const good = place.token({ 'custom:secret': CANARY, jti: CANARY, email: `${CANARY}@example.com` });
    const signer = rs256(place.key);
    const header = { kid: place.key.kid, alg: 'RS256' };
    const tokens = [
      good,
      `${good}x`,
      signToken({ ...makeKey(), kid: place.key.kid }, { iss: ISSUER, jti: CANARY }),
      place.token({ exp: 1, jti: CANARY }),
      place.token({ iss: `https://${CANARY}.example.com`, jti: CANARY }),
      place.token({ client_id: CANARY }),
      place.token({ token_use: CANARY }),
      place.token({ exp: CANARY }),
      assembleToken(header, `{"broken": "${CANARY}`, signer),
      assembleToken(`{"alg":"RS256","${CANARY}`, {}, signer),
      assembleToken({ ...header, kid: CANARY }, { iss: 'x' }, signer),
      assembleToken({ ...header, crit: [CANARY] }, {}, signer),
      `${CANARY}.${CANARY}.${CANARY}`,
      CANARY,
    ];
    const around = [
      `Cookie: theme=dark; other=${CANARY}`,
      `X-Api-Key: ${CANARY}`,
      `User-Agent: ${CANARY}`,
      `Referer: https://x/?${CANARY}`,
      `X-Forwarded-For: ${CANARY}, 203.0.113.9`,
      `X-Request-Id: no good id ${CANARY}`,
    ];
    const requests: [string, string[], string?][] = [
      ...tokens.flatMap((token): [string, string[], string?][] => [
        [`GET /posts?q=${CANARY} HTTP/1.1`, [bearer(token)]],
        [`GET /posts?access_token=${token} HTTP/1.1`, []],
        [`GET /posts HTTP/1.1`, [`Cookie: session=${token}`]],
        [`GET /posts HTTP/1.1`, [`X-Token: ${token}`]],
      ]),
      [`GET /posts HTTP/1.1`, [bearer(good), `X-Token: ${good}`]],
      [`GET /posts HTTP/1.1`, [`Authorization: Basic ${encoded(`me:${CANARY}`)}`]],
      [`POST /open/upload?${CANARY} HTTP/1.1`, [], `secret=${CANARY}`],
      [`GET /users/bob?${CANARY} HTTP/1.1`, [bearer(good)]],
      [`GET /nowhere?${CANARY} HTTP/1.1`, [bearer(good)]],
      [`DELETE /posts/../x?${CANARY} HTTP/1.1`, [bearer(good)]],
      [`GET /posts#${CANARY} HTTP/1.1`, [bearer(good)]],
      [`GET http://${CANARY}@api.example.com/posts HTTP/1.1`, []],
      [`GET /posts HTTP/1.1`, [bearer(good), `Host: ${CANARY}`]],
      [`GET /broken/reset?${CANARY} HTTP/1.1`, [bearer(good)]],
      [`GET /broken/garbage?${CANARY} HTTP/1.1`, [bearer(good)]],
      [`GET /down?${CANARY} HTTP/1.1`, [bearer(good)]],
    ];
    const seen: number[] = [];
    for (const accept of ['application/json', 'text/html']) {
      for (const [line, headers, body] of requests) {
        const answer = await served.request(line, [...headers, ...around, `Accept: ${accept}`], body);
        seen.push(answer.status);
        if (answer.status !== 200) refusals.push(spell(answer));
      }
    }
    // What is no request at all, and an answer that breaks off.
    const malformed = await openRaw(served.proxy);
    malformed.send(`GET /posts HTTP/1.1\r\nHost: a\r\n${CANARY}\u0001: x\r\nAuthorization: ${good}\r\n\r\n`);
    refusals.push((await malformed.rest()).toString('latin1'));
    const short = await openRaw(served.proxy);
    short.send(requestBytes(`GET /broken/short?${CANARY} HTTP/1.1`, ['Host: a', bearer(good), ...around]));
    await short.rest();
    return seen;
  }

  it('is the same few fates that were meant, so that the search below means something', () => {
    expect(new Set(statuses)).toEqual(new Set([200, 400, 401, 403, 404, 502]));
    expect(place.upstream.requests.some((request) => request.body.includes(CANARY))).toBe(true);
    const codes = new Set(served.log.map((line) => line['code']));
    for (const code of [
      'AUTHN_CLAIMS_INVALID',
      'AUTHN_CLIENT_MISMATCH',
      'AUTHN_HEADER_UNSUPPORTED',
      'AUTHN_ISSUER_UNKNOWN',
      'AUTHN_SCHEME_UNSUPPORTED',
      'AUTHN_SIGNATURE_INVALID',
      'AUTHN_TOKEN_DUPLICATE',
      'AUTHN_TOKEN_EXPIRED',
      'AUTHN_TOKEN_MALFORMED',
      'AUTHZ_GROUP_REQUIRED',
      'REQUEST_HOST_INVALID',
      'REQUEST_PATH_AMBIGUOUS',
      'REQUEST_TARGET_INVALID',
      'ROUTE_NOT_FOUND',
      'UPSTREAM_CONNECT_FAILED',
    ]) {
      expect(codes).toContain(code);
    }
    expect(everything.includes('cognito_auth_proxy_decisions_total')).toBe(true);
  });

  it('holds no secret, query or token, in no encoding', () => {
    for (const needle of [
      CANARY,
      encodeURIComponent(CANARY),
      encoded(CANARY).slice(2, -2),
      'access_token=',
      'eyJ',
    ]) {
      const at = everything.indexOf(needle);
      expect(at < 0 ? 'not there' : everything.slice(Math.max(0, at - 200), at + 50)).toBe('not there');
    }
  });

  it('is JSON lines with the fields that are allowed, and no others', () => {
    const allowed = new Set<string>(['level', 'time', 'message', ...LOG_FIELDS]);
    const seen = new Set(served.log.flatMap((line) => Object.keys(line)));
    expect([...seen].filter((field) => !allowed.has(field))).toEqual([]);
    expect(seen.size).toBeGreaterThan(25);
  });

  it('names client, caller and verdict in the access log', () => {
    const access = served.log.filter((line) => line.message === 'request');
    expect(access.length).toBe(statuses.length + 1);
    for (const line of access) {
      expect(line).toMatchObject({
        client: '203.0.113.9',
        ms: expect.any(Number),
        bytes: expect.any(Number),
      });
      expect(line['requestId']).toMatch(/^[0-9a-f-]{36}$/);
      expect(Date.parse(String(line['time']))).toBeGreaterThan(0);
    }
    expect(find(access, { route: 'posts', status: 200 })).toMatchObject({
      level: 'info',
      method: 'GET',
      host: 'api.example.com',
      path: '/posts',
      decision: 'allow',
      pool: 'main',
      clientId: CLIENT_ID,
      peer: '127.0.0.1',
      upstreamMs: expect.any(Number),
    });
    expect(find(access, { route: 'own' })).toMatchObject({
      level: 'info',
      status: 403,
      decision: 'deny',
      code: expect.stringMatching(/^AUTHZ_/),
      condition: expect.any(String),
    });
    expect(find(access, { route: 'down' })).toMatchObject({
      level: 'warn',
      status: 502,
      decision: 'fault',
      code: 'UPSTREAM_CONNECT_FAILED',
      target: 'http://127.0.0.1:1',
      err: {
        name: expect.any(String),
        code: 'ECONNREFUSED',
        message: expect.stringContaining('ECONNREFUSED'),
      },
    });
  });

  function find(lines: readonly LogLine[], fields: Record<string, unknown>): LogLine | undefined {
    return lines.find((line) => Object.entries(fields).every(([name, value]) => line[name] === value));
  }
});

describe('log.subject', () => {
  it.each(['plain', 'hashed'] as const)('%s', async (subject) => {
    const place = await prepareSurroundings();
    const routes: ProxyConfig['routes'] = [
      { id: 'posts', match: { path: '/posts' }, allow: 'authenticated', upstream: 'board' },
    ];
    const file = place.write('some.yaml', place.complete({ routes, log: { subject } }));
    const served = await followServe(runServe(place.folder, ['serve', '--config', file]));
    const sub = '11111111-2222-3333-4444-555555555555';
    const ask = (claims: object) =>
      served.request('GET /posts HTTP/1.1', [bearer(place.token({ sub, ...claims }))]);
    await ask({});
    await ask({ 'cognito:groups': ['other'] });
    await served.stop();
    const subjects = served.log.filter((line) => line.message === 'request').map((line) => line['subject']);
    const hash = createHash('sha256').update(sub).digest('base64url').slice(0, 22);
    expect(subjects).toEqual(subject === 'plain' ? [sub, sub] : [hash, hash]);
    if (subject === 'hashed') expect(JSON.stringify(served.log)).not.toContain(sub);
    await place.stop();
  });
});

function spell(answer: RawResponse): string {
  const headers = answer.headers.map(([name, value]) => `${name}: ${value}`);
  return [`${answer.status} ${answer.reason}`, ...headers, '', answer.text].join('\n');
}
