import { randomBytes } from 'node:crypto';
import type { KnownCredentials } from './verify-signature.ts';

/** Temporary credentials that the emulator gave out, and to whom. */
export interface IssuedCredentials extends KnownCredentials {
  readonly accessKeyId: string;
  readonly sessionToken: string;
  readonly expiresAt: number;
  readonly roleArn: string;
  /** The identity of the identity pool; null for a role assumed with other credentials. */
  readonly identityId: string | null;
  readonly sessionName: string;
}

export interface CredentialRegister {
  issue(
    to: Pick<IssuedCredentials, 'roleArn' | 'identityId' | 'sessionName'>,
    expiresAt: number,
  ): IssuedCredentials;
  find(accessKeyId: string): IssuedCredentials | undefined;
  /** Ends them before their time. */
  expire(accessKeyId: string): void;
}

/** As long as a Cognito session token with a handful of principal tags. */
const SESSION_TOKEN_BYTES = 900;

export function createCredentialRegister(): CredentialRegister {
  const issued = new Map<string, IssuedCredentials>();
  return {
    issue(to, expiresAt) {
      const credentials: IssuedCredentials = {
        ...to,
        accessKeyId: `ASIA${randomBytes(8).toString('hex').toUpperCase()}`,
        secretAccessKey: randomBytes(30).toString('base64'),
        sessionToken: `IQoJb3JpZ2luX2Vj${randomBytes(SESSION_TOKEN_BYTES).toString('base64')}`,
        expiresAt,
      };
      issued.set(credentials.accessKeyId, credentials);
      return credentials;
    },
    find: (accessKeyId) => issued.get(accessKeyId),
    expire(accessKeyId) {
      const known = issued.get(accessKeyId);
      if (known !== undefined) issued.set(accessKeyId, { ...known, expiresAt: 0 });
    },
  };
}
