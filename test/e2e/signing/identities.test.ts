import { describe, expect, it } from 'vitest';
import { bearer, CLIENT_ID } from '../../support/proxy.ts';
import {
  GUEST_ROLE,
  IDENTITY_POOL_ID,
  PROVIDER,
  type SigningStack,
  type SigningStackOptions,
  USER_ROLE,
} from '../../support/signing-stack.ts';
import { makeKey, signToken } from '../../support/token-factory.ts';
import { codeIn, useSigningStack } from '../../support/use-signing-stack.ts';

function lastCall(stack: SigningStack, operation: string): Readonly<Record<string, unknown>> {
  const call = stack.emulator.calls.findLast((each) => each.operation === operation);
  if (call === undefined) throw new Error(`${operation} has not been called`);
  return call.input;
}

const roleOf = ({ emulator, upstream }: SigningStack): string | undefined =>
  emulator.credentialsOf(upstream.last.accessKeyId)?.roleArn;

describe('the enhanced flow', () => {
  const stack = useSigningStack();

  it('sends each caller as their own identity, asking for it once', async () => {
    const { proxy, upstream, emulator, idToken, identity } = stack();
    const identities: (string | undefined)[] = [];
    for (const user of ['alice', 'bob', 'alice', 'bob', 'alice']) {
      const answer = await proxy.request('GET /items?b=2&a=1 HTTP/1.1', [bearer(idToken(user))]);
      expect(answer.status, answer.text).toBe(200);
      identities.push(identity());
    }
    const [alice, bob] = identities;
    expect(alice).toMatch(/^us-east-1:[0-9a-f-]{36}$/);
    expect(bob).not.toBe(alice);
    expect(identities).toEqual([alice, bob, alice, bob, alice]);
    expect(emulator.count('GetId')).toBe(2);
    expect(emulator.count('GetCredentialsForIdentity')).toBe(2);
    expect(upstream.judgedTwice).toBe(5);
  });

  it('names the provider of the user pool, and leaves the role to the identity pool', async () => {
    const { proxy, idToken } = stack();
    const token = idToken('carol');
    await proxy.request('GET /items HTTP/1.1', [bearer(token)]);
    expect(lastCall(stack(), 'GetId')).toEqual({
      IdentityPoolId: IDENTITY_POOL_ID,
      Logins: { [PROVIDER]: token },
    });
    expect(lastCall(stack(), 'GetCredentialsForIdentity')).toEqual({
      IdentityId: stack().identity(),
      Logins: { [PROVIDER]: token },
    });
    expect(roleOf(stack())).toBe(USER_ROLE);
  });

  it('keeps the identity of a caller who comes with a new token', async () => {
    const { proxy, emulator, idToken, identity } = stack();
    await proxy.request('GET /items HTTP/1.1', [bearer(idToken('dave', { jti: '1' }))]);
    const dave = identity();
    const calls = emulator.calls.length;
    await proxy.request('GET /items HTTP/1.1', [bearer(idToken('dave', { jti: '2' }))]);
    expect(identity()).toBe(dave);
    expect(emulator.calls.length).toBe(calls);
  });

  it('gives a caller whose identity was deleted another one', async () => {
    const { proxy, emulator, idToken, identity } = stack();
    const reader = 'arn:aws:iam::111122223333:role/r';
    await proxy.request('GET /items HTTP/1.1', [bearer(idToken('erin'))]);
    const before = identity();
    emulator.forgetIdentity(before ?? '');
    // Another role, so that the identity is asked about again.
    const changed = idToken('erin', { 'cognito:preferred_role': reader, 'cognito:roles': [reader] });
    const answer = await proxy.request('GET /items HTTP/1.1', [bearer(changed)]);
    expect(answer.status, answer.text).toBe(200);
    expect(identity()).not.toBe(before);
  });

  it('tells the upstream neither token nor whose headers we set for signing', async () => {
    const { proxy, upstream, idToken } = stack();
    await proxy.request('GET /items HTTP/1.1', [
      bearer(idToken('alice')),
      'X-Amz-Security-Token: theirs',
      'X-Amz-Target: Service.Operation',
    ]);
    const { last } = upstream;
    expect(last.header('authorization')).toMatch(/^AWS4-HMAC-SHA256 Credential=ASIA/);
    expect(last.header('x-amz-security-token')).not.toContain('theirs');
    expect(last.header('x-amz-target')).toBe('Service.Operation');
    expect(last.header('x-cognito-username')).toBe('alice');
  });
});

describe('the ID token beside an access token', () => {
  const stack = useSigningStack();
  const request = (headers: readonly string[]) => stack().proxy.request('GET /items HTTP/1.1', headers);

  it('gives the credentials, and goes no further', async () => {
    const { proxy, upstream, idToken, identity } = stack();
    const answer = await request([bearer(proxy.token()), `X-Id-Token: ${idToken()}`]);
    expect(answer.status, answer.text).toBe(200);
    expect(identity()).toBeDefined();
    expect(upstream.last.header('x-id-token')).toBeUndefined();
    expect(upstream.last.header('x-cognito-token-use')).toBe('access');
  });

  it('is asked for where it is missing', async () => {
    const { proxy, upstream } = stack();
    const before = upstream.requests.length;
    const answer = await request([bearer(proxy.token())]);
    expect(answer.status).toBe(401);
    expect(codeIn(answer)).toBe('SIGN_ID_TOKEN_REQUIRED');
    expect(answer.header('www-authenticate')).toBe(
      'Bearer error="invalid_token", error_description="this route needs the ID token"',
    );
    expect(upstream.requests.length).toBe(before);
  });

  const other = makeKey('test-key');
  it.each<[string, (s: SigningStack) => readonly string[], string]>([
    ['of another user', (s) => [s.idToken('bob')], 'AUTHN_ID_TOKEN_MISMATCH'],
    [
      'without the client of the access token',
      (s) => [s.idToken('alice', { aud: 'other' })],
      'AUTHN_CLIENT_MISMATCH',
    ],
    ['that has expired', (s) => [s.idToken('alice', { exp: 1 })], 'AUTHN_TOKEN_EXPIRED'],
    [
      'of another issuer',
      (s) => [s.idToken('alice', { iss: 'https://evil.example' })],
      'AUTHN_ISSUER_UNKNOWN',
    ],
    ['that is an access token', (s) => [s.proxy.token()], 'AUTHN_TOKEN_USE_MISMATCH'],
    [
      'signed with another key',
      (s) => [
        signToken(other, JSON.parse(Buffer.from(s.idToken().split('.')[1] ?? '', 'base64url').toString())),
      ],
      'AUTHN_SIGNATURE_INVALID',
    ],
    ['that is none', () => ['nonsense'], 'AUTHN_TOKEN_MALFORMED'],
  ])('%s is refused', async (_name, idTokens, code) => {
    const { proxy, upstream } = stack();
    const before = upstream.requests.length;
    const headers = idTokens(stack()).map((token) => `X-Id-Token: ${token}`);
    const answer = await request([bearer(proxy.token()), ...headers]);
    expect(answer.status).toBe(401);
    expect(codeIn(answer)).toBe(code);
    expect(upstream.requests.length).toBe(before);
  });

  it('may come once only', async () => {
    const { proxy, idToken } = stack();
    const answer = await request([
      bearer(proxy.token()),
      `X-Id-Token: ${idToken()}`,
      `X-Id-Token: ${idToken()}`,
    ]);
    expect(answer.status).toBe(400);
    expect(codeIn(answer)).toBe('AUTHN_TOKEN_DUPLICATE');
  });
});

describe('tokens of two clients of one pool', () => {
  const stack = useSigningStack({ clientIds: [CLIENT_ID, 'second-client'] });

  it('are not of one sign-in', async () => {
    const { proxy, upstream, idToken } = stack();
    const ask = (headers: readonly string[]) => proxy.request('GET /items HTTP/1.1', headers);
    const own = await ask([bearer(proxy.token()), `X-Id-Token: ${idToken()}`]);
    expect(own.status, own.text).toBe(200);
    const mixed = await ask([
      bearer(proxy.token()),
      `X-Id-Token: ${idToken('alice', { aud: 'second-client' })}`,
    ]);
    expect(mixed.status).toBe(401);
    expect(codeIn(mixed)).toBe('AUTHN_ID_TOKEN_MISMATCH');
    expect(upstream.requests.length).toBe(1);
  });
});

describe('a caller of another user pool than the identity pool is for', () => {
  const stack = useSigningStack({ identityPoolFor: 'other' });

  it('is refused before anything is asked', async () => {
    const { proxy, emulator, upstream, idToken } = stack();
    const answer = await proxy.request('GET /items HTTP/1.1', [bearer(idToken())]);
    expect(answer.status).toBe(403);
    expect(codeIn(answer)).toBe('SIGN_USER_POOL_MISMATCH');
    expect(emulator.calls).toEqual([]);
    expect(upstream.requests).toEqual([]);
  });
});

describe('a pool that takes access tokens from callers', () => {
  const stack = useSigningStack({ tokenUse: ['access'] });

  it('does not take for a caller’s token what it took beside one', async () => {
    const { proxy, idToken } = stack();
    const beside = idToken();
    const good = await proxy.request('GET /items HTTP/1.1', [bearer(proxy.token()), `X-Id-Token: ${beside}`]);
    expect(good.status, good.text).toBe(200);
    const alone = await proxy.request('GET /items HTTP/1.1', [bearer(beside)]);
    expect(alone.status).toBe(401);
    expect(codeIn(alone)).toBe('AUTHN_TOKEN_USE_MISMATCH');
  });
});

describe('guests', () => {
  const stack = useSigningStack({ identityPool: { guest: true }, pool: { guestRole: GUEST_ROLE } });

  it('are one identity, asked for once', async () => {
    const { proxy, emulator, identity } = stack();
    const identities = new Set<string | undefined>();
    for (let i = 0; i < 3; i++) {
      const answer = await proxy.request('GET /items HTTP/1.1');
      expect(answer.status, answer.text).toBe(200);
      identities.add(identity());
    }
    expect(identities.size).toBe(1);
    expect(emulator.count('GetId')).toBe(1);
    expect(lastCall(stack(), 'GetId')).toEqual({ IdentityPoolId: IDENTITY_POOL_ID });
    expect(roleOf(stack())).toBe(GUEST_ROLE);
  });

  it('are never those whose token was refused', async () => {
    const { proxy, upstream, idToken } = stack();
    const before = upstream.requests.length;
    for (const token of [idToken('alice', { exp: 1 }), 'nonsense', idToken('alice', { aud: 'other' })]) {
      expect((await proxy.request('GET /items HTTP/1.1', [bearer(token)])).status).toBe(401);
    }
    const accessOnly = await proxy.request('GET /items HTTP/1.1', [bearer(proxy.token())]);
    expect(codeIn(accessOnly)).toBe('SIGN_ID_TOKEN_REQUIRED');
    expect(upstream.requests.length).toBe(before);
  });

  it('are apart from users', async () => {
    const { proxy, idToken, identity } = stack();
    await proxy.request('GET /items HTTP/1.1');
    const guest = identity();
    await proxy.request('GET /items HTTP/1.1', [bearer(idToken())]);
    expect(identity()).not.toBe(guest);
    expect(roleOf(stack())).toBe(USER_ROLE);
  });
});

describe('roles by rules', () => {
  const role = (name: string): string => `arn:aws:iam::111122223333:role/${name}`;
  const stack = useSigningStack({
    pool: { roleMapping: 'token' },
    sign: {
      roles: [
        { when: { groups: ['admins'] }, roleArn: role('admins') },
        { when: { claims: { 'custom:tier': 'gold' } }, roleArn: role('gold') },
        { when: { claims: { email: { startsWith: 'ops-' } } }, roleArn: role('ops') },
        { when: { claims: { 'custom:tags': { contains: 'blue' } } }, roleArn: role('blue') },
        { when: { claims: { 'custom:stage': { not: 'test' } } }, roleArn: role('live') },
      ],
    },
  });
  const all = ['admins', 'gold', 'ops', 'blue', 'live', 'preferred'].map(role);

  it.each<[string, Record<string, unknown>, string]>([
    ['a group', { 'cognito:groups': ['admins'] }, role('admins')],
    ['a claim that equals', { 'custom:tier': 'gold' }, role('gold')],
    ['a claim that starts with', { email: 'ops-1@example.com' }, role('ops')],
    ['a claim that contains', { 'custom:tags': 'red blue' }, role('blue')],
    ['a claim that is not', { 'custom:stage': 'live' }, role('live')],
    ['the first that matches', { 'custom:tier': 'gold', 'cognito:groups': ['admins'] }, role('admins')],
    ['what the token prefers, with none', { 'cognito:preferred_role': role('preferred') }, role('preferred')],
    ['the choice of the pool, with nothing', {}, USER_ROLE],
  ])('%s', async (_name, claims, expected) => {
    const { proxy, idToken } = stack();
    const token = idToken(`user-${Object.keys(claims).join('-')}`, { 'cognito:roles': all, ...claims });
    const answer = await proxy.request('GET /items HTTP/1.1', [bearer(token)]);
    expect(answer.status, answer.text).toBe(200);
    expect(roleOf(stack())).toBe(expected);
  });

  it.each<[string, unknown]>([
    ['lists others', [role('gold')]],
    ['lists none', []],
    ['has no list', undefined],
  ])('are not asked for where the token %s', async (_name, roles) => {
    const { proxy, emulator, idToken } = stack();
    const calls = emulator.calls.length;
    const token = idToken('mallory', { 'cognito:groups': ['admins'], 'cognito:roles': roles });
    const answer = await proxy.request('GET /items HTTP/1.1', [bearer(token)]);
    expect(answer.status).toBe(403);
    expect(codeIn(answer)).toBe('SIGN_ROLE_DENIED');
    expect(emulator.calls.length).toBe(calls);
  });

  it('change with the token: what an earlier role gave is not served on', async () => {
    const { proxy, idToken } = stack();
    const claims = { 'cognito:roles': all };
    const before = idToken('frank', { ...claims, 'cognito:preferred_role': role('admins') });
    await proxy.request('GET /items HTTP/1.1', [bearer(before)]);
    expect(roleOf(stack())).toBe(role('admins'));
    const after = idToken('frank', { ...claims, 'cognito:preferred_role': role('blue') });
    await proxy.request('GET /items HTTP/1.1', [bearer(after)]);
    expect(roleOf(stack())).toBe(role('blue'));
  });
});

describe('the basic flow', () => {
  const role = (name: string): string => `arn:aws:iam::111122223333:role/${name}`;
  const stack = useSigningStack({
    identityPool: { flow: 'basic', roleArn: role('basic'), guest: true },
    pool: { guestRole: GUEST_ROLE },
    emulator: { assumableRoles: [role('basic'), role('writers'), role('preferred')] },
    sign: {
      roles: [
        { when: { groups: ['writers'] }, roleArn: role('writers') },
        { when: { groups: ['locked'] }, roleArn: role('locked') },
      ],
    },
  });

  it('assumes the role in a session named after the caller', async () => {
    const { proxy, emulator, upstream, idToken, identity } = stack();
    const answer = await proxy.request('GET /items HTTP/1.1', [bearer(idToken('alice'))]);
    expect(answer.status, answer.text).toBe(200);
    const { sub } = JSON.parse(Buffer.from(idToken('alice').split('.')[1] ?? '', 'base64url').toString()) as {
      sub: string;
    };
    expect(emulator.credentialsOf(upstream.last.accessKeyId)).toMatchObject({
      roleArn: role('basic'),
      sessionName: sub,
      identityId: identity(),
    });
    expect(emulator.calls.map((call) => call.operation)).toEqual([
      'GetId',
      'GetOpenIdToken',
      'AssumeRoleWithWebIdentity',
    ]);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['by a rule, listed in the token or not', { 'cognito:groups': ['writers'] }, role('writers')],
    ['as the token prefers', { 'cognito:preferred_role': role('preferred') }, role('preferred')],
  ])('takes the role %s', async (name, claims, expected) => {
    const { proxy, idToken } = stack();
    const answer = await proxy.request('GET /items HTTP/1.1', [bearer(idToken(name, claims))]);
    expect(answer.status, answer.text).toBe(200);
    expect(roleOf(stack())).toBe(expected);
  });

  it('answers 403 where STS denies the role', async () => {
    const { proxy, idToken } = stack();
    const answer = await proxy.request('GET /items HTTP/1.1', [
      bearer(idToken('eve', { 'cognito:groups': ['locked'] })),
    ]);
    expect(answer.status).toBe(403);
    expect(codeIn(answer)).toBe('SIGN_ROLE_DENIED');
  });

  it('leaves the role of guests to the identity pool', async () => {
    const { proxy } = stack();
    const answer = await proxy.request('GET /items HTTP/1.1');
    expect(answer.status, answer.text).toBe(200);
    expect(roleOf(stack())).toBe(GUEST_ROLE);
  });
});

describe("other providers' tokens", () => {
  const googleKey = makeKey('google-key');
  const google = (sub: string, claims: Record<string, unknown> = {}): string =>
    signToken(googleKey, {
      iss: 'https://accounts.google.com',
      aud: 'our-app',
      sub,
      exp: Math.floor(Date.now() / 1000) + 3600,
      ...claims,
    });
  const stack = useSigningStack({
    identityPool: {
      logins: {
        'accounts.google.com': { header: 'X-Google-Token' },
        'cognito-identity.amazonaws.com': { header: 'x-openid-token' },
      },
    },
    providers: {
      'accounts.google.com': {
        issuer: 'https://accounts.google.com',
        audiences: ['our-app'],
        keys: () => [googleKey.jwk],
      },
    },
    pool: { developerProvider: 'login.my.app' },
    accessKeys: { AKIDBACKEND: 'backend-secret' },
  });
  const get = (headers: readonly string[]) => stack().proxy.request('GET /items HTTP/1.1', headers);

  it('make an identity by themselves, on routes that let guests in', async () => {
    const { upstream, identity } = stack();
    const answer = await get([`X-Google-Token: ${google('g1')}`]);
    expect(answer.status, answer.text).toBe(200);
    const first = identity();
    expect(lastCall(stack(), 'GetId')['Logins']).toEqual({ 'accounts.google.com': expect.any(String) });
    expect(upstream.last.header('x-google-token')).toBeUndefined();
    await get([`X-Google-Token: ${google('g2')}`]);
    expect(identity()).not.toBe(first);
  });

  it('join the identity of the caller', async () => {
    const { idToken, identity } = stack();
    await get([bearer(idToken('alice'))]);
    const alice = identity();
    await get([bearer(idToken('alice')), `X-Google-Token: ${google('g3')}`]);
    expect(identity()).toBe(alice);
    await get([`X-Google-Token: ${google('g3')}`]);
    expect(identity()).toBe(alice);
  });

  it('are judged by Cognito, and what one gave is not had with another', async () => {
    const { upstream } = stack();
    const good = google('g4');
    await get([`X-Google-Token: ${good}`]);
    const before = upstream.requests.length;
    const forged = `${good.slice(0, -8)}AAAAAAAA`;
    for (const token of [forged, google('g4', { exp: 1 }), google('g4', { aud: 'their-app' }), 'nonsense']) {
      const answer = await get([`X-Google-Token: ${token}`]);
      expect(answer.status).toBe(403);
      expect(codeIn(answer)).toBe('SIGN_CREDENTIALS_DENIED');
    }
    expect(upstream.requests.length).toBe(before);
  });

  it('may come once only', async () => {
    const answer = await get([`X-Google-Token: ${google('g5')}`, `X-Google-Token: ${google('g6')}`]);
    expect(answer.status).toBe(400);
    expect(codeIn(answer)).toBe('REQUEST_HEADER_DUPLICATE');
  });

  it('give nothing to those without any', async () => {
    const answer = await get([]);
    expect(answer.status).toBe(401);
    expect(codeIn(answer)).toBe('SIGN_GUEST_REFUSED');
    expect(answer.header('www-authenticate')).toBe('Bearer');
  });

  it("of the service itself name their identity, as an application's own backend hands them out", async () => {
    const { emulator, identity } = stack();
    const { CognitoIdentityClient, GetOpenIdTokenForDeveloperIdentityCommand } = await import(
      '@aws-sdk/client-cognito-identity'
    );
    const backend = new CognitoIdentityClient({
      region: 'us-east-1',
      endpoint: emulator.origin,
      credentials: { accessKeyId: 'AKIDBACKEND', secretAccessKey: 'backend-secret' },
    });
    const { IdentityId, Token } = await backend.send(
      new GetOpenIdTokenForDeveloperIdentityCommand({
        IdentityPoolId: IDENTITY_POOL_ID,
        Logins: { 'login.my.app': 'user-7' },
      }),
    );
    backend.destroy();
    const ids = emulator.count('GetId');
    const answer = await get([`X-OpenId-Token: ${Token}`]);
    expect(answer.status, answer.text).toBe(200);
    expect(identity()).toBe(IdentityId);
    expect(emulator.count('GetId')).toBe(ids);
  });
});

describe('a developer provider', () => {
  const role = 'arn:aws:iam::111122223333:role/basic';
  const logins = {
    'login.my.app': {
      claim: 'username',
      credentials: { static: { accessKeyId: 'AKIDBACKEND', secretAccessKey: 'backend-secret' } },
    },
  };
  const options: SigningStackOptions = {
    identityPool: { logins },
    pool: { developerProvider: 'login.my.app' },
    accessKeys: { AKIDBACKEND: 'backend-secret' },
    tokenUse: ['access'],
  };
  const stack = useSigningStack(options);
  const basic = useSigningStack({ ...options, identityPool: { logins, flow: 'basic', roleArn: role } });
  const unknown = useSigningStack({ ...options, accessKeys: {} });

  it('vouches for callers with access tokens', async () => {
    const { proxy, emulator, identity } = stack();
    const answer = await proxy.request('GET /items HTTP/1.1', [bearer(proxy.token())]);
    expect(answer.status, answer.text).toBe(200);
    const alice = identity();
    expect(alice).toBeDefined();
    expect(lastCall(stack(), 'GetOpenIdTokenForDeveloperIdentity')).toEqual({
      IdentityPoolId: IDENTITY_POOL_ID,
      Logins: { 'login.my.app': 'alice' },
    });
    expect(lastCall(stack(), 'GetCredentialsForIdentity')['Logins']).toEqual({
      'cognito-identity.amazonaws.com': expect.any(String),
    });
    expect(emulator.count('GetId')).toBe(0);
    await proxy.request('GET /items HTTP/1.1', [bearer(proxy.token({ username: 'bob', sub: 'b' }))]);
    expect(identity()).not.toBe(alice);
  });

  it('needs the claim that names the user', async () => {
    const { proxy, emulator } = stack();
    const calls = emulator.calls.length;
    const answer = await proxy.request('GET /items HTTP/1.1', [
      bearer(proxy.token({ username: undefined, sub: 'm2m' })),
    ]);
    expect(answer.status).toBe(403);
    expect(codeIn(answer)).toBe('SIGN_CREDENTIALS_DENIED');
    expect(emulator.calls.length).toBe(calls);
  });

  it('works with the basic flow', async () => {
    const { proxy } = basic();
    const answer = await proxy.request('GET /items HTTP/1.1', [bearer(proxy.token())]);
    expect(answer.status, answer.text).toBe(200);
    expect(roleOf(basic())).toBe(role);
  });

  it('whose own credentials are refused is no fault of the caller', async () => {
    const { proxy } = unknown();
    const answer = await proxy.request('GET /items HTTP/1.1', [bearer(proxy.token())]);
    expect(answer.status).toBe(503);
    expect(codeIn(answer)).toBe('SIGN_CREDENTIALS_UNAVAILABLE');
    expect(answer.header('retry-after')).toBe('5');
  });
});

describe('a reload', () => {
  const stack = useSigningStack();

  it('keeps the credentials of a pool that did not change, and forgets those of one that did', async () => {
    const { proxy, emulator, config, idToken } = stack();
    const ask = async (): Promise<number> => {
      const answer = await proxy.request('GET /items HTTP/1.1', [bearer(idToken())]);
      expect(answer.status, answer.text).toBe(200);
      return emulator.count('GetCredentialsForIdentity');
    };
    expect(await ask()).toBe(1);
    await proxy.reload(config());
    expect(await ask()).toBe(1);
    await proxy.reload(config({ timeout: '4s' }));
    expect(await ask()).toBe(2);
  });
});

describe('metrics', () => {
  const stack = useSigningStack();

  it('tell how credentials were had', async () => {
    const { proxy, idToken } = stack();
    await proxy.request('GET /items HTTP/1.1', [bearer(idToken())]);
    await proxy.request('GET /items HTTP/1.1', [bearer(idToken())]);
    await proxy.request('GET /items HTTP/1.1', [bearer(idToken('x', { aud: 'y' }))]);
    const text = await proxy.metrics();
    expect(text).toContain('cognito_auth_proxy_credentials_total{pool="main",result="fetched"} 1');
    expect(text).toContain('cognito_auth_proxy_credentials_total{pool="main",result="cached"} 1');
    expect(text).toContain('cognito_auth_proxy_credentials_duration_seconds_count{pool="main"} 1');
  });
});
