import { createPublicKey, verify } from 'node:crypto';
import { CognitoJwtVerifier } from 'aws-jwt-verify';
import { describe, expect, it } from 'vitest';
import {
  accessClaims,
  assembleToken,
  idClaims,
  keySet,
  makeKey,
  rs256,
  signToken,
} from '../../support/token-factory.ts';

const key = makeKey();
const userPoolId = 'us-east-1_AbCdEf123';
const subject = {
  issuer: `https://cognito-idp.us-east-1.amazonaws.com/${userPoolId}`,
  clientId: '1example23456789',
  groups: ['writers'],
};

/** The verifier that AWS publishes, as a judge of whether our tokens look like Cognito's. */
function verifierFor(tokenUse: 'access' | 'id') {
  const verifier = CognitoJwtVerifier.create({ userPoolId, tokenUse, clientId: subject.clientId });
  verifier.cacheJwks(keySet(key) as unknown as Parameters<typeof verifier.cacheJwks>[0]);
  return verifier;
}

describe('signToken', () => {
  it('makes access tokens that AWS takes for its own', () => {
    const payload = verifierFor('access').verifySync(signToken(key, accessClaims(subject)));
    expect(payload).toMatchObject({ username: 'alice', 'cognito:groups': ['writers'], token_use: 'access' });
  });

  it('makes ID tokens that AWS takes for its own', () => {
    const payload = verifierFor('id').verifySync(signToken(key, idClaims(subject)));
    expect(payload).toMatchObject({ 'cognito:username': 'alice', aud: subject.clientId });
  });

  it('makes tokens that AWS refuses when signed by another key of the same name', () => {
    const token = signToken(makeKey(key.kid), accessClaims(subject));
    expect(() => verifierFor('access').verifySync(token)).toThrow('Invalid signature');
  });

  it('leaves out what is undefined', () => {
    const claims = accessClaims(subject, { exp: undefined, extra: 1 });
    const [header = '', payload = ''] = signToken(key, claims, { kid: undefined, typ: 'JWT' }).split('.');
    expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toEqual({ alg: 'RS256', typ: 'JWT' });
    const read = JSON.parse(Buffer.from(payload, 'base64url').toString());
    expect(read).toMatchObject({ extra: 1 });
    expect(read).not.toHaveProperty('exp');
  });
});

describe('assembleToken', () => {
  it('encodes strings and bytes as they are and signs whatever results', () => {
    const token = assembleToken('{"alg":', Buffer.from([0xff]), rs256(key));
    const [header = '', payload = '', signature = ''] = token.split('.');
    expect(Buffer.from(header, 'base64url').toString()).toBe('{"alg":');
    expect(payload).toBe('_w');
    const publicKey = createPublicKey({ key: { ...key.jwk }, format: 'jwk' });
    const input = Buffer.from(`${header}.${payload}`);
    expect(verify('sha256', input, publicKey, Buffer.from(signature, 'base64url'))).toBe(true);
  });
});

describe('makeKey', () => {
  it('publishes what Cognito publishes, and nothing private', () => {
    expect(Object.keys(key.jwk)).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use']);
    expect(makeKey('small', 1024).privateKey.asymmetricKeyDetails?.modulusLength).toBe(1024);
  });
});
