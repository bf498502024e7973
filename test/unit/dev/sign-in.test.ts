import { JwtVerifier } from 'aws-jwt-verify';
import { describe, expect, it } from 'vitest';
import { useUserPool } from '../../support/user-pool.ts';

const pool = useUserPool();

/** Fetches the emulator's keys as any verifier would. */
async function verify(token: string): Promise<Record<string, unknown>> {
  const { issuer } = pool();
  const verifier = JwtVerifier.create({ issuer, audience: null });
  const keys = await (await fetch(`${issuer}/.well-known/jwks.json`)).json();
  verifier.cacheJwks(keys as Parameters<typeof verifier.cacheJwks>[0]);
  return verifier.verifySync(token);
}

describe('populateUserPool', () => {
  it('signs alice in, with her group', async () => {
    const { users, clientId } = pool();
    const claims = {
      username: 'alice',
      'cognito:groups': ['writers'],
      client_id: clientId,
      token_use: 'access',
    };
    expect(await verify(users.alice.accessToken)).toMatchObject(claims);
    expect(await verify(users.alice.idToken)).toMatchObject({
      'cognito:username': 'alice',
      'cognito:groups': ['writers'],
      aud: clientId,
      token_use: 'id',
      email: 'alice@example.com',
      email_verified: true,
    });
  });

  it('signs bob in, without any', async () => {
    const claims = await verify(pool().users.bob.accessToken);
    expect(claims).toMatchObject({ username: 'bob', token_use: 'access' });
    expect(claims).not.toHaveProperty('cognito:groups');
  });

  it('signs in again for another token', async () => {
    const again = await pool().signIn('alice');
    const first = await verify(pool().users.alice.accessToken);
    const second = await verify(again.accessToken);
    expect(again.username).toBe('alice');
    expect(second.sub).toBe(first.sub);
    expect(second.jti).not.toBe(first.jti);
  });

  it('issues under the origin it is reached at', () => {
    expect(pool().issuer).toBe(`${pool().origin}/${pool().userPoolId}`);
  });
});
