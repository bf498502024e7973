import { CognitoJwtVerifier } from 'aws-jwt-verify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ERRORS } from '../../src/core/errors.ts';
import { type KeyServer, startKeyServer } from '../support/key-server.ts';
import { bearer, type ProxyUnderTest, startProxy } from '../support/proxy.ts';
import { keySet, type SigningKey, signToken } from '../support/token-factory.ts';
import { claimMutants } from './token-mutants/claims.ts';
import { encodingMutants } from './token-mutants/encoding.ts';
import { headerMutants } from './token-mutants/header.ts';
import { keyMutants } from './token-mutants/keys.ts';
import { signatureMutants } from './token-mutants/signature.ts';
import { largestToken, timeAndSizeMutants } from './token-mutants/time-and-size.ts';
import { type Mutant, openWorkshop, POOLS, type Workshop } from './token-mutants/workshop.ts';

const workshop = openWorkshop();
const published: Readonly<Record<keyof typeof POOLS, readonly SigningKey[]>> = {
  api: [workshop.key, ...Object.values(workshop.unusable)],
  people: [workshop.otherPoolsKey],
};
const secondOpinion = askAws();

let keys: KeyServer;
let proxy: ProxyUnderTest;

beforeAll(async () => {
  keys = await startKeyServer();
  const pool = (name: keyof typeof POOLS) => {
    const { userPoolId, clientId, tokenUse } = POOLS[name];
    keys.publish(published[name], userPoolId);
    const url = `${keys.issuer(userPoolId)}/.well-known/jwks.json`;
    return { userPoolId, clientIds: [clientId], tokenUse: [tokenUse], keys: { url } };
  };
  proxy = await startProxy(
    {
      userPools: { api: pool('api'), people: pool('people') },
      routes: [{ id: 'posts', match: { path: '/posts' }, allow: 'authenticated', upstream: 'board' }],
    },
    { dev: false },
  );
});
afterAll(async () => {
  await proxy.stop();
  await keys.stop();
});

/** The verifier that AWS publishes, with the same pools, clients and keys. */
function askAws(): (token: string) => 'refuses' | 'accepts' {
  const verifier = CognitoJwtVerifier.create(
    Object.values(POOLS).map(({ userPoolId, clientId, tokenUse }) => ({ userPoolId, clientId, tokenUse })),
  );
  for (const name of ['api', 'people'] as const) {
    const document = keySet(...published[name]) as unknown as Parameters<typeof verifier.cacheJwks>[0];
    verifier.cacheJwks(document, POOLS[name].userPoolId);
  }
  return (token) => {
    try {
      verifier.verifySync(token);
      return 'accepts';
    } catch {
      return 'refuses';
    }
  };
}

describe.each<readonly [string, readonly Mutant[]]>([
  ['header', headerMutants],
  ['key', keyMutants],
  ['signature', signatureMutants],
  ['encoding', encodingMutants],
  ['claims', claimMutants],
  ['time and size', timeAndSizeMutants],
])('a token with the wrong %s', (_, table) => {
  it.each(table)('$name: $code', async ({ code, make, awsTakesIt }) => {
    const token = make(workshop);
    const answer = await proxy.request('GET /posts HTTP/1.1', [bearer(token)]);
    expect(answer.json()).toMatchObject({ message: 'Unauthorized', code });
    expect(answer.status).toBe(401);
    expect(answer.header('www-authenticate')).toBe(
      `Bearer error="invalid_token", error_description="${ERRORS[code].description}"`,
    );
    expect(proxy.upstream.connections).toBe(0);
    expect(secondOpinion(token)).toBe(awsTakesIt === undefined ? 'refuses' : 'accepts');
  });
});

it('has more than a hundred mutants, each with a name of its own', () => {
  const names = [
    ...headerMutants,
    ...keyMutants,
    ...signatureMutants,
    ...encodingMutants,
    ...claimMutants,
    ...timeAndSizeMutants,
  ].map((mutant) => mutant.name);
  expect(new Set(names).size).toBe(names.length);
  expect(names.length).toBeGreaterThan(200);
});

/** What the mutants were made of is let in, so that none was refused for something that all of them share. */
describe('a token that is let in', () => {
  it.each<readonly [string, (workshop: Workshop) => string]>([
    ['as it was issued', ({ genuine }) => genuine()],
    ['with a typ', ({ sign, access }) => sign(access(), { typ: 'JWT' })],
    [
      'with a member of the header that means nothing here',
      ({ sign, access }) => sign(access(), { x5t: 'x' }),
    ],
    [
      'with white space in its JSON',
      ({ signText, access }) =>
        signText('{ "kid" : "genuine",\n"alg":"RS256" }', JSON.stringify(access(), null, 2)),
    ],
    [
      'with escapes in its JSON',
      ({ signText, access }) =>
        signText('{"\\u006bid":"g\\u0065nuine","alg":"RS256"}', JSON.stringify(access())),
    ],
    [
      'with the same name in two objects',
      ({ sign, access }) => sign(access({ x: { sub: 'y', z: { sub: 'y' } } })),
    ],
    [
      'with texts that look like names',
      ({ sign, access }) => sign(access({ x: '"sub":', '"y\\': ':{"sub":1}' })),
    ],
    [
      'of the other form of issuer',
      ({ sign, access, issuer }) => sign(access({ iss: issuer.replace('https://', 'https://issuer-') })),
    ],
    ['with an end between seconds', ({ sign, access, now }) => sign(access({ exp: now + 60.5 }))],
    ['with a beginning in the past', ({ sign, access, now }) => sign(access({ nbf: now - 60 }))],
    ['issued in the future, as clocks differ', ({ sign, access, now }) => sign(access({ iat: now + 60 }))],
    [
      'of a client without a user',
      ({ sign, access }) => sign(access({ username: undefined, scope: 'posts/read' })),
    ],
    ['without scope', ({ sign, access }) => sign(access({ scope: undefined }))],
    [
      'with an audience beside the client',
      ({ sign, access }) => sign(access({ aud: 'https://api.example.com' })),
    ],
    ['of exactly 16 KiB', largestToken],
    ['an ID token of the pool that takes those', ({ id, otherPoolsKey }) => signToken(otherPoolsKey, id())],
  ])('%s', async (_, make) => {
    const token = make(workshop);
    const before = proxy.upstream.requests.length;
    const answer = await proxy.request('GET /posts HTTP/1.1', [bearer(token)]);
    expect(answer.text).toBe('ok');
    expect(proxy.upstream.requests).toHaveLength(before + 1);
    expect(secondOpinion(token)).toBe('accepts');
  });
});
