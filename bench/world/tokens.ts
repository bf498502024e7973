import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import {
  accessClaims,
  keySet,
  makeKey,
  type SigningKey,
  signToken,
  type TokenClaims,
  type TokenSubject,
} from '../../test/support/token-factory.ts';
import { REQUIREMENTS } from './routes.ts';

export const USER_POOL_ID = 'us-east-1_Bench0001';
export const CLIENT_ID = '1example23456789';
export const ISSUER = `https://cognito-idp.us-east-1.amazonaws.com/${USER_POOL_ID}`;

/** The user pool that all contenders trust. */
export interface Mint {
  /** Files with its public key, as a JSON Web Key Set and as PEM. */
  readonly keySetFile: string;
  readonly pemFile: string;
  /** One token, with changed claims. */
  token(changes?: TokenClaims): string;
  /** That many tokens, each of another user; the same ones every time. */
  tokens(count: number): Promise<readonly string[]>;
  /** Tokens that look right and carry a wrong signature. */
  forgeries(count: number): Promise<readonly string[]>;
}

/** What a thread is given to sign. */
export interface SigningTask {
  readonly key: SigningKey;
  readonly subject: TokenSubject;
  readonly first: number;
  readonly count: number;
}

/** Seconds; longer than any run takes. */
const LIFETIME = 86_400;

export function createMint(folder: string): Mint {
  const key = makeKey();
  const keySetFile = join(folder, 'jwks.json');
  const pemFile = join(folder, 'pool.pem');
  writeFileSync(keySetFile, JSON.stringify(keySet(key)));
  writeFileSync(pemFile, key.publicKey.export({ type: 'spki', format: 'pem' }));
  const subject: TokenSubject = {
    issuer: ISSUER,
    clientId: CLIENT_ID,
    groups: [REQUIREMENTS.read.group, REQUIREMENTS.write.group],
    scopes: [REQUIREMENTS.read.scope, REQUIREMENTS.write.scope],
    issuedAt: Math.floor(Date.now() / 1000),
    lifetime: LIFETIME,
  };
  let signed: readonly string[] = [];

  const tokens = async (count: number): Promise<readonly string[]> => {
    if (signed.length < count) {
      const missing = count - signed.length;
      const threads = Math.min(availableParallelism(), Math.ceil(missing / 500));
      const share = Math.ceil(missing / threads);
      const parts = await Promise.all(
        Array.from({ length: threads }, (_, i) => {
          const first = signed.length + i * share;
          return signInThread({ key, subject, first, count: Math.min(share, count - first) });
        }),
      );
      signed = [...signed, ...parts.flat()];
    }
    return signed.slice(0, count);
  };

  return {
    keySetFile,
    pemFile,
    token: (changes) => signToken(key, accessClaims(subject, changes)),
    tokens,
    async forgeries(count) {
      const genuine = await tokens(count);
      return genuine.map((token, i) => {
        const other = genuine[(i + 1) % count] ?? '';
        return token.slice(0, token.lastIndexOf('.')) + other.slice(other.lastIndexOf('.'));
      });
    },
  };
}

function signInThread(task: SigningTask): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./token-signer.ts', import.meta.url), { workerData: task });
    worker.on('message', resolve).on('error', reject);
  });
}
