import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommandLine } from '../../support/command-line.ts';
import { accessClaims, makeKey, signToken, type TokenClaims } from '../../support/token-factory.ts';

const ISSUER = 'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Test';
const OTHER_FORM = 'https://issuer-cognito-idp.us-east-1.amazonaws.com/us-east-1_Test';
const NOW = Math.floor(Date.now() / 1000);

/** What is changed of a good access token, so that it is refused. */
const REFUSED: Readonly<Record<string, TokenClaims>> = {
  stranger: { iss: 'https://elsewhere.example' },
  'other-client': { client_id: 'cli-2' },
  'id-token': { token_use: 'id', aud: 'app' },
  late: { exp: NOW - 7_200 },
  early: { nbf: NOW + 7_200 },
  mean: { iss: 'x\u001b[2J\u009b', client_id: 7, token_use: undefined, exp: 'soon' },
};

const refusedToken = (changes: TokenClaims): string =>
  signToken(makeKey(), accessClaims({ issuer: ISSUER, clientId: 'app' }, changes));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'explain-test-'));
  writeFileSync(
    join(folder, 'c.yaml'),
    [
      'userPools: { main: { userPoolId: us-east-1_Test, clientIds: [app], tokenUse: [access] } }',
      'upstreams: { board: { url: http://board.internal } }',
      'routes:',
      '  - { id: health, match: { path: /healthz }, allow: public, upstream: board }',
      '  - id: write',
      '    match: { methods: [POST], path: "/users/{name}/posts" }',
      '    allow: { groups: [writers, admins], claims: { username: "{name}" } }',
      '    upstream: board',
      '  - { id: tried, match: { path: /tried }, allow: { groups: [writers] }, enforce: false, upstream: board }',
    ].join('\n'),
  );
  writeFileSync(join(folder, 'bad.yaml'), 'routes: []\n');
  // A signature by a key that no pool has: explain does not look at it.
  const token = (groups: string[]) =>
    signToken(makeKey(), accessClaims({ issuer: ISSUER, clientId: 'app', groups, scopes: ['a', 'b'] }));
  writeFileSync(join(folder, 'writer'), `Bearer ${token(['writers'])}\n`);
  writeFileSync(join(folder, 'reader'), token(['readers', 'others']));
  writeFileSync(join(folder, 'junk'), 'junk');
  for (const [name, claims] of Object.entries(REFUSED))
    writeFileSync(join(folder, name), refusedToken(claims));
});
afterAll(() => rmSync(folder, { recursive: true }));

const explain = (...args: string[]) => runCommandLine(['explain', '--config', 'c.yaml', ...args], { folder });

describe('explain', () => {
  it('tells why a request would pass', async () => {
    const ran = await explain('--url', '/users/%61lice/posts', '--method', 'POST', '--token-file', 'writer');
    expect({ ...ran, out: ran.out.split('\n') }).toEqual({
      code: 0,
      err: '',
      out: [
        'path       /users/alice/posts',
        'route      write (allow: conditions), to upstream board',
        '           {name} = alice',
        'caller     alice of main, client app, access token',
        '           groups [writers], scopes [a, b]',
        expect.stringMatching(/^ {11}token expires in \d+ s; its signature was not checked$/),
        'condition  + all of',
        '           +   groups anyOf [writers, admins]',
        '           +   claim username equals {name} of the path',
        'outcome    allowed',
        '',
      ],
    });
  });

  it('tells why one would be refused', async () => {
    const { out } = await explain(
      '--url',
      'https://api.example.com/users/bob/posts?q',
      '--method',
      'POST',
      '--token-file',
      'reader',
    );
    expect(out.split('\n').slice(-5)).toEqual([
      'condition  - all of',
      '           -   groups anyOf [writers, admins]',
      '           -   claim username equals {name} of the path',
      'outcome    403 AUTHZ_GROUP_REQUIRED: the caller is not in a group that this route requires',
      '',
    ]);
  });

  it.each([
    [
      ['--url', '/healthz'],
      ['path       /healthz', 'route      health (allow: public), to upstream board', 'outcome    allowed'],
    ],
    [
      ['--url', '/nowhere'],
      ['path       /nowhere', 'outcome    404 ROUTE_NOT_FOUND: no route matches this host and path'],
    ],
    [
      ['--url', '/a/../b'],
      [
        'outcome    400 REQUEST_PATH_AMBIGUOUS: the path could be read in more than one way',
        '           because of a segment of dots',
      ],
    ],
    [
      ['--url', '/건강'],
      [
        'path       /%EA%B1%B4%EA%B0%95',
        'outcome    404 ROUTE_NOT_FOUND: no route matches this host and path',
      ],
    ],
    [
      ['--url', 'http://x?q'],
      ['path       /', 'outcome    404 ROUTE_NOT_FOUND: no route matches this host and path'],
    ],
    [
      ['--url', '/users/a/posts'],
      [
        'path       /users/a/posts',
        'outcome    405 ROUTE_METHOD_NOT_ALLOWED: the route does not allow this method',
        '           because it allows POST',
      ],
    ],
    [
      ['--url', '/users/a/posts', '--method', 'post'],
      [
        'outcome    400 REQUEST_MALFORMED: the request is not well-formed HTTP',
        '           because "post" is no method: they are known by name, in upper case',
      ],
    ],
    [
      ['--url', '/users/a%2Fb/posts', '--method', 'POST'],
      [
        'path       /users/a%2Fb/posts',
        'outcome    400 REQUEST_PATH_AMBIGUOUS: the path could be read in more than one way',
        '           because of "%2F": match.permit of a route may let that through',
      ],
    ],
    [
      ['--url', '/users/a/posts', '--method', 'POST'],
      [
        'path       /users/a/posts',
        'route      write (allow: conditions), to upstream board',
        '           {name} = a',
        'outcome    401 AUTHN_TOKEN_MISSING: a token is required',
      ],
    ],
    [
      ['--url', '/users/a/posts', '--method', 'POST', '--token-file', 'junk'],
      [
        'path       /users/a/posts',
        'route      write (allow: conditions), to upstream board',
        '           {name} = a',
        'outcome    401 AUTHN_TOKEN_MALFORMED: the token is not a well-formed JWT',
      ],
    ],
  ])('of %j', async (args, lines) => {
    expect(await explain(...args)).toEqual({ code: 0, err: '', out: `${lines.join('\n')}\n` });
  });

  it.each([
    [
      'stranger',
      ['issuer https://elsewhere.example', 'client app, token_use access', 'expires in N s'],
      [ISSUER, OTHER_FORM],
      'AUTHN_ISSUER_UNKNOWN: the token was issued by an unknown issuer',
    ],
    [
      'other-client',
      [`issuer ${ISSUER}`, 'client cli-2, token_use access', 'expires in N s'],
      ['app'],
      'AUTHN_CLIENT_MISMATCH: the token was issued to a client that is not accepted',
    ],
    [
      'id-token',
      [`issuer ${ISSUER}`, 'client app, token_use id', 'expires in N s'],
      ['access'],
      'AUTHN_TOKEN_USE_MISMATCH: this kind of token is not accepted',
    ],
    [
      'late',
      [`issuer ${ISSUER}`, 'client app, token_use access', 'expired N s ago'],
      [],
      'AUTHN_TOKEN_EXPIRED: the token has expired',
    ],
    [
      'early',
      [`issuer ${ISSUER}`, 'client app, token_use access', 'expires in N s, is valid in N s only'],
      [],
      'AUTHN_TOKEN_NOT_YET_VALID: the token is not valid yet',
    ],
    [
      'mean',
      ['issuer "x\\u001b[2J\\u009b"', 'client (none), token_use (none)', 'does not say when it expires'],
      [ISSUER, OTHER_FORM],
      'AUTHN_ISSUER_UNKNOWN: the token was issued by an unknown issuer',
    ],
  ])('says of the token "%s" what it says, and what is accepted', async (file, token, accepted, outcome) => {
    const { out } = await explain('--url', '/users/a/posts', '--method', 'POST', '--token-file', file);
    const row = (name: string) => (text: string, i: number) => `${(i === 0 ? name : '').padEnd(10)} ${text}`;
    expect(
      out
        .replace(/\d+ s\b/g, 'N s')
        .split('\n')
        .slice(3),
    ).toEqual([
      ...token.map(row('token')),
      ...accepted.map(row('accepted')),
      `outcome    401 ${outcome}`,
      '',
    ]);
  });

  it.each<readonly [string[], string]>([
    [
      ['--token-file', 'reader'],
      '403 AUTHZ_GROUP_REQUIRED: the caller is not in a group that this route requires',
    ],
    [['--token-file', 'junk'], '401 AUTHN_TOKEN_MALFORMED: the token is not a well-formed JWT'],
    [[], '401 AUTHN_TOKEN_MISSING: a token is required'],
  ])('tells with %j what would be refused where nobody is yet', async (args, reason) => {
    const { out } = await explain('--url', '/tried', ...args);
    expect(out.trimEnd().split('\n').slice(-2)).toEqual([
      'outcome    let through, because of enforce: false; with true it would be',
      `           ${reason}`,
    ]);
    const json = JSON.parse((await explain('--url', '/tried', ...args, '--json')).out);
    const [status, code] = reason.split(/[ :]/);
    expect(json).toMatchObject({
      outcome: 'allow',
      refusal: null,
      shadow: { status: Number(status), code },
      route: { enforce: false },
    });
  });

  it('tells nothing of shadows where a request passes', async () => {
    const { out } = await explain('--url', '/tried', '--token-file', 'writer');
    expect(out.trimEnd().split('\n').at(-1)).toBe('outcome    allowed');
  });

  it('prints one line of JSON for scripts', async () => {
    const { out, code } = await explain(
      '--url',
      '/users/a/posts',
      '--method',
      'POST',
      '--token-file',
      'reader',
      '--json',
    );
    expect(code).toBe(0);
    expect(out.endsWith('}\n')).toBe(true);
    expect(JSON.parse(out)).toMatchObject({
      outcome: 'deny',
      shadow: null,
      refusal: { status: 403, code: 'AUTHZ_GROUP_REQUIRED', detail: null },
      path: '/users/a/posts',
      route: { id: 'write', upstream: 'board', allow: 'conditions' },
      parameters: { name: 'a' },
      principal: { pool: 'main', username: 'alice', groups: ['readers', 'others'] },
      conditions: [
        { holds: false, depth: 0 },
        { holds: false, depth: 1 },
        { holds: false, depth: 1 },
      ],
    });
  });

  it.each([
    [['explain', '--config', 'c.yaml'], "required option '--url <url>' not specified"],
    [['explain', '--config', 'bad.yaml', '--url', '/'], 'bad.yaml:1:'],
    [['explain', '--config', 'absent.yaml', '--url', '/'], 'absent.yaml'],
    [
      ['explain', '--config', 'c.yaml', '--url', '/', '--token-file', 'absent'],
      'the token file cannot be read: ENOENT',
    ],
  ])('%j is bad usage', async (args, complaint) => {
    const { code, out, err } = await runCommandLine(args, { folder });
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(complaint);
  });
});
