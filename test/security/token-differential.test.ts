import { CognitoJwtVerifier } from 'aws-jwt-verify';
import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { createTokenCache } from '../../src/authenticate/token-cache.ts';
import { createUserPools, type UserPools } from '../../src/authenticate/user-pools.ts';
import { verifyToken } from '../../src/authenticate/verify-token.ts';
import { userPool } from '../../src/config/schema/pools.ts';
import { systemClock } from '../../src/core/system-clock.ts';
import { generatedCases } from '../support/generated-cases.ts';
import { recordingLogger } from '../support/recording-logger.ts';
import { scriptKeys } from '../support/scripted-keys.ts';
import { accessClaims, assembleToken, keySet, makeKey, rs256 } from '../support/token-factory.ts';

/**
 * Generated tokens, judged by us and by the verifier that AWS publishes: what we let in, it must let in. The other
 * direction is the table of mutants, where each difference has its reason.
 */

const userPoolId = 'us-east-1_Diff00001';
const issuer = `https://cognito-idp.us-east-1.amazonaws.com/${userPoolId}`;
const clientId = '1example23456789';
const key = makeKey('genuine');
const aws = CognitoJwtVerifier.create({ userPoolId, tokenUse: 'access', clientId });
aws.cacheJwks(keySet(key) as unknown as Parameters<typeof aws.cacheJwks>[0]);

const { timeout, ...parameters } = generatedCases(2_000);

let pools: UserPools;
beforeAll(async () => {
  const script = scriptKeys();
  script.serve([key]);
  pools = createUserPools({
    caches: [createTokenCache(1)],
    fetch: script.fetch,
    clock: systemClock,
    logger: recordingLogger([]),
    observer: script.observer,
    dev: false,
  });
  pools.configure({ main: userPool.parse({ userPoolId, clientIds: [clientId] }) });
  await script.settled(2);
  return () => pools.stop();
});

async function weAccept(token: string): Promise<boolean> {
  return 'principal' in (await verifyToken(token, { pools, now: systemClock.now }));
}

function awsAccepts(token: string): boolean {
  try {
    aws.verifySync(token);
    return true;
  } catch {
    return false;
  }
}

/** @returns how many of them were let in */
async function compare(tokens: fc.Arbitrary<string>): Promise<number> {
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(tokens, async (token) => {
      if (!(await weAccept(token))) return;
      accepted += 1;
      expect(awsAccepts(token)).toBe(true);
    }),
    parameters,
  );
  return accepted;
}

const claims = (): Readonly<Record<string, unknown>> => accessClaims({ issuer, clientId, groups: ['a'] });
const genuine = (): string => assembleToken({ kid: key.kid, alg: 'RS256' }, claims(), rs256(key));

const oddValue = fc.oneof(
  fc.constantFrom(undefined, null, true, '', '0', 0, -1, 1e300, [], {}, 'access', 'id', clientId, issuer),
  fc.constantFrom([clientId], [issuer], ['access'], { alg: 'RS256' }, 'RS256', 'none'),
  fc.jsonValue({ maxDepth: 1 }),
);

it('agrees on genuinely signed tokens with odd claims and headers', { timeout }, async () => {
  const oddClaims = fc.dictionary(
    fc.constantFrom(...Object.keys(claims()), 'nbf', 'aud', 'cognito:username', '__proto__', 'constructor'),
    oddValue,
    { maxKeys: 2 },
  );
  const oddHeader = fc.dictionary(
    fc.constantFrom('kid', 'alg', 'typ', 'cty', 'crit', 'jwk', 'b64', 'x5t'),
    oddValue,
    {
      maxKeys: 1,
    },
  );
  const accepted = await compare(
    fc
      .tuple(oddHeader, oddClaims)
      .map(([header, changes]) =>
        assembleToken({ kid: key.kid, alg: 'RS256', ...header }, { ...claims(), ...changes }, rs256(key)),
      ),
  );
  // The property would hold as well if we let nothing in.
  expect(accepted).toBeGreaterThan(parameters.numRuns / 100);
});

it('agrees on genuine tokens with characters changed, added and taken away', { timeout }, async () => {
  const token = genuine();
  const at = fc.nat(token.length - 1);
  const character = fc.constantFrom(...'ABab09-_+/=.% "\\\u00a0\u00ff');
  const change = fc.oneof(
    fc.tuple(at, character).map(([i, c]) => `${token.slice(0, i)}${c}${token.slice(i + 1)}`),
    fc.tuple(at, character).map(([i, c]) => `${token.slice(0, i)}${c}${token.slice(i)}`),
    at.map((i) => token.slice(0, i) + token.slice(i + 1)),
    fc.tuple(at, at).map(([i, j]) => token.slice(0, i) + token.slice(j)),
    fc
      .tuple(at, fc.nat(8))
      .map(([i, n]) => token.slice(0, i) + token.slice(i, i + n).toLowerCase() + token.slice(i + n)),
  );
  await compare(change.filter((changed) => changed !== token));
});

it('agrees on texts that look like tokens', { timeout }, async () => {
  const part = fc.oneof(
    fc.constantFrom(...genuine().split('.')),
    fc.json().map((json) => Buffer.from(json).toString('base64url')),
    fc.base64String(),
    fc.string(),
  );
  await compare(fc.array(part, { maxLength: 6 }).map((parts) => parts.join('.')));
});
