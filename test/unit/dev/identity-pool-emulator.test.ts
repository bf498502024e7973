import {
  CognitoIdentityClient,
  GetCredentialsForIdentityCommand,
  GetIdCommand,
  GetOpenIdTokenCommand,
  GetOpenIdTokenForDeveloperIdentityCommand,
} from '@aws-sdk/client-cognito-identity';
import { AssumeRoleCommand, AssumeRoleWithWebIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type IdentityPoolEmulator,
  startIdentityPoolEmulator,
} from '../../../src/dev/identity-pool-emulator.ts';
import { assembleToken, idClaims, makeKey, rs256, signToken } from '../../support/token-factory.ts';

const POOL = 'us-east-1:11111111-2222-3333-4444-555555555555';
const PROVIDER = 'cognito-idp.us-east-1.amazonaws.com/us-east-1_Test';
const role = (name: string): string => `arn:aws:iam::111122223333:role/${name}`;
const subject = { issuer: 'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Test', clientId: 'app' };
const key = makeKey('k1');
const token = (claims: Record<string, unknown> = {}, username = 'alice'): string =>
  signToken(key, idClaims({ ...subject, username }, claims));

let emulator: IdentityPoolEmulator;
let cognito: CognitoIdentityClient;
let sts: STSClient;
let unknown: STSClient;

beforeAll(async () => {
  emulator = await startIdentityPoolEmulator({
    pools: [
      {
        identityPoolId: POOL,
        providers: { [PROVIDER]: { issuer: subject.issuer, audiences: ['app'], keys: () => [key.jwk] } },
        authenticatedRole: role('users'),
        guestRole: role('guests'),
        developerProvider: 'login.my.app',
        roleMapping: 'token',
      },
      {
        identityPoolId: `${POOL.slice(0, -1)}6`,
        providers: {},
        authenticatedRole: role('users'),
      },
    ],
    accessKeys: { AKIDOURS: 'secret' },
    assumableRoles: [role('users'), role('other')],
    sessionSeconds: 1800,
  });
  const options = { region: 'us-east-1', endpoint: emulator.origin, maxAttempts: 1 };
  const credentials = { accessKeyId: 'AKIDOURS', secretAccessKey: 'secret' };
  cognito = new CognitoIdentityClient({ ...options, credentials });
  sts = new STSClient({ ...options, credentials });
  unknown = new STSClient({ ...options, credentials: { ...credentials, secretAccessKey: 'wrong' } });
});
afterAll(async () => {
  for (const client of [cognito, sts, unknown]) client.destroy();
  await emulator.stop();
});

const getId = async (logins: Record<string, string> | undefined): Promise<string> => {
  const input = logins === undefined ? {} : { Logins: logins };
  const { IdentityId } = await cognito.send(new GetIdCommand({ IdentityPoolId: POOL, ...input }));
  return IdentityId ?? '';
};

describe('identities', () => {
  it('are one per login, whatever token it comes with', async () => {
    const alice = await getId({ [PROVIDER]: token() });
    expect(alice).toMatch(/^us-east-1:[0-9a-f-]{36}$/);
    expect(await getId({ [PROVIDER]: token({ jti: 'another' }) })).toBe(alice);
    expect(await getId({ [PROVIDER]: token({}, 'bob') })).not.toBe(alice);
    expect(emulator.loginsOf(alice)).toHaveLength(1);
  });

  it('of guests are new each time', async () => {
    expect(await getId(undefined)).not.toBe(await getId(undefined));
  });

  it.each<[string, () => Promise<unknown>, string]>([
    [
      'a pool that is not there',
      () => cognito.send(new GetIdCommand({ IdentityPoolId: POOL.replace('5', '9') })),
      'ResourceNotFoundException',
    ],
    [
      'guests where there are none',
      () => cognito.send(new GetIdCommand({ IdentityPoolId: `${POOL.slice(0, -1)}6` })),
      'NotAuthorizedException',
    ],
    ['another provider', () => getId({ 'accounts.google.com': token() }), 'NotAuthorizedException'],
    ['an expired token', () => getId({ [PROVIDER]: token({ exp: 1 }) }), 'NotAuthorizedException'],
    [
      'a token of another issuer',
      () => getId({ [PROVIDER]: token({ iss: 'https://evil.example' }) }),
      'NotAuthorizedException',
    ],
    [
      'a token of another client',
      () => getId({ [PROVIDER]: token({ aud: 'other' }) }),
      'NotAuthorizedException',
    ],
    ['an access token', () => getId({ [PROVIDER]: token({ aud: undefined }) }), 'NotAuthorizedException'],
    [
      'a token of an unknown key',
      () => getId({ [PROVIDER]: signToken(makeKey('k2'), idClaims(subject)) }),
      'NotAuthorizedException',
    ],
    [
      'a token of a known key by name only',
      () => getId({ [PROVIDER]: signToken(makeKey('k1'), idClaims(subject)) }),
      'NotAuthorizedException',
    ],
    [
      'a token without a signature',
      () => getId({ [PROVIDER]: assembleToken({ alg: 'none', kid: 'k1' }, idClaims(subject), rs256(key)) }),
      'NotAuthorizedException',
    ],
    ['what is no token', () => getId({ [PROVIDER]: 'nonsense' }), 'NotAuthorizedException'],
  ])('are not given for %s', async (_name, ask, name) => {
    await expect(ask()).rejects.toMatchObject({ name, $metadata: { httpStatusCode: 400 } });
  });
});

describe('credentials', () => {
  const getCredentials = (id: string, logins?: Record<string, string>, customRole?: string) =>
    cognito.send(
      new GetCredentialsForIdentityCommand({
        IdentityId: id,
        ...(logins === undefined ? {} : { Logins: logins }),
        ...(customRole === undefined ? {} : { CustomRoleArn: customRole }),
      }),
    );

  it('are of the identity, the role and the time that they say', async () => {
    const id = await getId({ [PROVIDER]: token() });
    const before = Date.now();
    const { Credentials, IdentityId } = await getCredentials(id, { [PROVIDER]: token() });
    expect(IdentityId).toBe(id);
    const lifetime = (Credentials?.Expiration?.getTime() ?? 0) - before;
    expect(lifetime).toBeGreaterThan(1_795_000);
    expect(lifetime).toBeLessThan(1_805_000);
    expect(emulator.credentialsOf(Credentials?.AccessKeyId ?? '')).toMatchObject({
      identityId: id,
      roleArn: role('users'),
      secretAccessKey: Credentials?.SecretKey,
      sessionToken: Credentials?.SessionToken,
    });
  });

  it.each<[string, Record<string, unknown>, string | undefined, string]>([
    ['the role that was asked for', { 'cognito:roles': [role('a'), role('b')] }, role('b'), role('b')],
    ['the preferred role', { 'cognito:preferred_role': role('a') }, undefined, role('a')],
    ['the role of all users', {}, undefined, role('users')],
  ])('are for %s', async (_name, claims, asked, given) => {
    const id = await getId({ [PROVIDER]: token() });
    const { Credentials } = await getCredentials(id, { [PROVIDER]: token(claims) }, asked);
    expect(emulator.credentialsOf(Credentials?.AccessKeyId ?? '')?.roleArn).toBe(given);
  });

  it.each<[string, () => Promise<unknown>, string]>([
    [
      'nobody',
      () => getCredentials('us-east-1:99999999-2222-3333-4444-555555555555'),
      'ResourceNotFoundException',
    ],
    [
      'a user without a login',
      async () => getCredentials(await getId({ [PROVIDER]: token() })),
      'NotAuthorizedException',
    ],
    [
      "another user's login",
      async () => getCredentials(await getId({ [PROVIDER]: token() }), { [PROVIDER]: token({}, 'bob') }),
      'NotAuthorizedException',
    ],
    [
      'a role that is not listed',
      async () => getCredentials(await getId({ [PROVIDER]: token() }), { [PROVIDER]: token() }, role('x')),
      'NotAuthorizedException',
    ],
    [
      'an identity that was deleted',
      async () => {
        const id = await getId({ [PROVIDER]: token({}, 'zoe') });
        emulator.forgetIdentity(id);
        return getCredentials(id, { [PROVIDER]: token({}, 'zoe') });
      },
      'ResourceNotFoundException',
    ],
  ])('are not given for %s', async (_name, ask, name) => {
    await expect(ask()).rejects.toMatchObject({ name });
  });

  it('of the basic flow come from STS, for the token of the identity', async () => {
    const logins = { [PROVIDER]: token() };
    const id = await getId(logins);
    const { Token } = await cognito.send(new GetOpenIdTokenCommand({ IdentityId: id, Logins: logins }));
    const assume = (changes: Record<string, string>) =>
      sts.send(
        new AssumeRoleWithWebIdentityCommand({
          RoleArn: role('users'),
          RoleSessionName: 'alice',
          WebIdentityToken: Token ?? '',
          ...changes,
        }),
      );
    const { Credentials } = await assume({});
    expect(emulator.credentialsOf(Credentials?.AccessKeyId ?? '')).toMatchObject({
      identityId: id,
      sessionName: 'alice',
    });
    await expect(assume({ RoleArn: role('locked') })).rejects.toMatchObject({
      name: 'AccessDenied',
      $metadata: { httpStatusCode: 403 },
    });
    await expect(assume({ WebIdentityToken: token() })).rejects.toMatchObject({
      name: 'InvalidIdentityTokenException',
    });
    await expect(assume({ RoleSessionName: 'not allowed' })).rejects.toMatchObject({
      name: 'ValidationError',
    });
  });

  it('of a developer provider are for those who know a key only', async () => {
    const command = () =>
      new GetOpenIdTokenForDeveloperIdentityCommand({
        IdentityPoolId: POOL,
        Logins: { 'login.my.app': 'u1' },
      });
    const { IdentityId, Token } = await cognito.send(command());
    expect((await cognito.send(command())).IdentityId).toBe(IdentityId);
    const logins = { 'cognito-identity.amazonaws.com': Token ?? '' };
    await expect(getCredentials(IdentityId ?? '', logins)).resolves.toHaveProperty('Credentials');
    const nobody = new CognitoIdentityClient({
      region: 'us-east-1',
      endpoint: emulator.origin,
      maxAttempts: 1,
      credentials: { accessKeyId: 'AKIDNOBODY', secretAccessKey: 'x' },
    });
    await expect(nobody.send(command())).rejects.toMatchObject({ name: 'InvalidAccessKeyId' });
    nobody.destroy();
  });

  it('of an assumed role are for those who know a key only', async () => {
    const command = new AssumeRoleCommand({ RoleArn: role('other'), RoleSessionName: 'proxy' });
    const { Credentials, AssumedRoleUser } = await sts.send(command);
    expect(AssumedRoleUser?.Arn).toBe('arn:aws:sts::111122223333:assumed-role/other/proxy');
    expect(emulator.credentialsOf(Credentials?.AccessKeyId ?? '')).toMatchObject({ identityId: null });
    await expect(unknown.send(command)).rejects.toMatchObject({ name: 'SignatureDoesNotMatch' });
  });
});

describe('misbehaviour', () => {
  it.each([
    ['throttle', 'TooManyRequestsException'],
    ['notAuthorized', 'NotAuthorizedException'],
    ['resourceNotFound', 'ResourceNotFoundException'],
    ['internalError', 'InternalErrorException'],
    ['unavailable', 'ServiceUnavailable'],
    ['brokenBody', 'SyntaxError'],
    ['reset', 'TimeoutError'],
  ] as const)('%s is told as %s, for as often as was said', async (how, name) => {
    emulator.behave('GetId', how, 1);
    await expect(getId(undefined)).rejects.toMatchObject({ name });
    await expect(getId(undefined)).resolves.toBeDefined();
  });

  it('that hangs never answers, and what is held answers when it is let go', async () => {
    emulator.behave('GetId', 'hang', 1);
    const abort = new AbortController();
    const before = emulator.count('GetId');
    const hanging = cognito.send(new GetIdCommand({ IdentityPoolId: POOL }), { abortSignal: abort.signal });
    await emulator.called('GetId', before + 1);
    abort.abort();
    await expect(hanging).rejects.toMatchObject({ name: 'AbortError' });
    const release = emulator.hold();
    const held = getId(undefined);
    await emulator.called('GetId', before + 2);
    release();
    await expect(held).resolves.toBeDefined();
  });

  it('knows no other operations', async () => {
    const answer = await fetch(emulator.origin, {
      method: 'POST',
      headers: { 'x-amz-target': 'AWSCognitoIdentityService.DeleteIdentityPool' },
      body: '{}',
    });
    expect([answer.status, await answer.json()]).toEqual([
      404,
      { __type: 'UnknownOperationException', message: '' },
    ]);
  });
});
