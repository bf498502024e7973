/**
 * Who the caller is, only the proxy says: CVE-2025-64484 (oauth2-proxy, underscores), CVE-2026-30851 (Caddy, a header set
 * only where the claim exists), CVE-2026-29054 and GHSA-w9mr-28mw-j8hg (in connection-header.test.ts). An oracle sends
 * identity headers in generated spellings; whatever reaches the upstream and could be read as one of them must be ours.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { attack, onlyRequest, SHAPES, untilIdle } from '../support/attack.ts';
import { generatedCases } from '../support/generated-cases.ts';
import { bearer, CLIENT_ID, type ProxyUnderTest, startProxy } from '../support/proxy.ts';
import type { RecordedRequest } from '../support/recording-upstream.ts';
import { createSeededRandom, type SeededRandom } from '../support/seeded-random.ts';

let proxy: ProxyUnderTest;

beforeAll(async () => {
  proxy = await startProxy({
    identity: {
      headers: {
        'x-cognito-sub': 'sub',
        'x-cognito-username': 'username',
        'x-cognito-groups': 'groups',
        'x-cognito-client': 'client_id',
        'x-user': 'username',
        'Remote.Tenant': 'custom:tenant',
      },
    },
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

/** What arrived under names that some server reads as an identity header. */
function identityOf(request: RecordedRequest): [string, string][] {
  return request.headers
    .map(([name, value]): [string, string] => [name, value])
    .filter(([name]) =>
      /^(x-cognito|x-user$|remote-tenant$)/.test(name.toLowerCase().replace(/[^a-z0-9]/g, '-')),
    );
}

const SPELLINGS = [
  'X-Cognito-Groups',
  'x-cognito-groups',
  'X-COGNITO-GROUPS',
  'X_Cognito_Groups',
  'X-Cognito_Groups',
  'x_cognito-groups',
  'X.Cognito.Groups',
  'X-Cognito.Groups',
  "X'Cognito'Groups",
  'X~Cognito|Groups',
  'X+Cognito+Groups',
  'X!Cognito#Groups',
  'X-Cognito-',
  'X-Cognito-Anything',
  'X-Cognito-Sub',
  'X_Cognito_Sub',
  'X-User',
  'x_user',
  'X.User',
  'x`user',
  'Remote.Tenant',
  'Remote-Tenant',
  'REMOTE_TENANT',
];

describe.each(SHAPES)('as %s', (shape) => {
  it.each(SPELLINGS)('drops %s on a public route', async (name) => {
    const outcome = await attack(proxy, shape, '/public', [`${name}: admins`]);
    expect(identityOf(onlyRequest(outcome))).toEqual([]);
  });

  it.each(SPELLINGS)('drops %s from a guest', async (name) => {
    const outcome = await attack(proxy, shape, '/optional', [`${name}: admins`, `${name}: root`]);
    expect(identityOf(onlyRequest(outcome))).toEqual([]);
  });

  it.each(SPELLINGS)('replaces %s with what the token says', async (name) => {
    const token = proxy.token({ 'cognito:groups': ['writers'], username: 'alice' });
    const outcome = await attack(proxy, shape, '/members', [
      `${name}: admins`,
      bearer(token),
      `${name}: root`,
    ]);
    expect(identityOf(onlyRequest(outcome))).toEqual([
      ['x-cognito-sub', expect.stringMatching(/^[0-9a-f-]{36}$/)],
      ['x-cognito-username', 'alice'],
      ['x-cognito-groups', 'writers'],
      ['x-cognito-client', CLIENT_ID],
      ['x-user', 'alice'],
    ]);
  });

  it('leaves a header out when the token lacks its claim, whatever the client sends', async () => {
    const token = proxy.token({ 'cognito:groups': undefined, username: undefined });
    const lines = ['X-Cognito-Groups: admins', 'X-Cognito-Username: root', 'X-User: root', bearer(token)];
    const outcome = await attack(proxy, shape, '/members', lines);
    expect(identityOf(onlyRequest(outcome)).map(([name]) => name)).toEqual([
      'x-cognito-sub',
      'x-cognito-client',
    ]);
  });

  it.each(['', ' ', 'a,b', 'x'.repeat(200)])('drops the header with the value %j', async (value) => {
    const outcome = await attack(proxy, shape, '/public', [`X-Cognito-Groups: ${value}`]);
    expect(identityOf(onlyRequest(outcome))).toEqual([]);
  });

  it('passes names that only resemble them', async () => {
    const names = ['X-Cognit-Groups', 'X-Cognitogroups', 'XX-Cognito-Groups', 'X-Users', 'Cognito-Groups'];
    const outcome = await attack(
      proxy,
      shape,
      '/public',
      names.map((name) => `${name}: 1`),
    );
    for (const name of names) expect(onlyRequest(outcome).values(name)).toEqual(['1']);
  });
});

it('drops identity headers among the trailers of a body', async () => {
  const body = '3\r\nabc\r\n0\r\nX-Cognito-Sub: root\r\n\r\n';
  await proxy.request(
    'POST /public HTTP/1.1',
    ['Transfer-Encoding: chunked', 'Trailer: X-Cognito-Sub'],
    body,
  );
  const [request] = proxy.upstream.requests;
  expect(request?.trailers).toEqual([]);
  expect(identityOf(request as RecordedRequest)).toEqual([]);
});

describe('an oracle over generated spellings', () => {
  const { numRuns, seed, timeout } = generatedCases(1_000);
  const NAMES = [
    'x-cognito-sub',
    'x-cognito-groups',
    'x-cognito-username',
    'x-cognito-other',
    'x-user',
    'remote-tenant',
  ];
  /** The characters of a field name that are no letter or digit (RFC 9110 section 5.6.2). */
  const PUNCTUATION = Array.from("!#$%&'*+-.^_`|~");

  function spell(random: SeededRandom, name: string): string {
    return Array.from(name, (character) => {
      if (character === '-') return random.chance(50) ? '-' : random.pick(PUNCTUATION);
      return random.chance(40) ? character.toUpperCase() : character;
    }).join('');
  }

  it.each(SHAPES)('sees only our own upstream, by %s', { timeout }, async (shape) => {
    const random = createSeededRandom(seed);
    const token = proxy.token({ 'cognito:groups': ['writers'], username: 'alice' });
    for (let i = 0; i < numRuns; i++) {
      const spellings = Array.from({ length: 1 + random.below(4) }, () => spell(random, random.pick(NAMES)));
      const lines = spellings.map(
        (name) => `${name}:${random.pick([' ', '', '\t'])}${random.pick(['root', '', 'a,b'])}`,
      );
      if (random.chance(40)) lines.push(`Connection: ${random.pick([...spellings, ...NAMES])}, close`);
      if (random.chance(50)) lines.reverse();
      const path = random.pick(['/public', '/optional', '/members']);
      if (path === '/members') lines.splice(random.below(lines.length + 1), 0, bearer(token));
      const outcome = await attack(proxy, shape, path, lines);
      const values = identityOf(onlyRequest(outcome)).map(([name, value]) => `${name}=${value}`);
      expect(
        values.filter((pair) => !pair.startsWith('x-cognito-sub=')),
        lines.join(' | '),
      ).toEqual(
        path === '/members'
          ? [
              'x-cognito-username=alice',
              'x-cognito-groups=writers',
              `x-cognito-client=${CLIENT_ID}`,
              'x-user=alice',
            ]
          : [],
      );
      expect(values.filter((pair) => pair.startsWith('x-cognito-sub='))).toHaveLength(
        path === '/members' ? 1 : 0,
      );
      proxy.upstream.forget();
    }
  });
});
