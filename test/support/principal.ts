import type { Principal } from '../../src/core/principal.ts';

/** A caller, as a verified token makes one; `claims` are those that only rules may ask for. */
export function principal(changes: Partial<Principal> = {}): Principal {
  return {
    pool: 'main',
    issuer: 'https://issuer.test',
    subject: '11111111-2222-3333-4444-555555555555',
    username: 'alice',
    clientId: 'client',
    tokenUse: 'access',
    groups: [],
    scopes: [],
    expiresAt: 4_000_000_000,
    claims: {},
    ...changes,
  };
}
