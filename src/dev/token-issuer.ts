import { generateKeyPairSync, type JsonWebKey, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Stands in for user pools of any id: publishes one key for all of them, and signs whatever it is asked to. */
export interface TokenIssuer {
  readonly origin: string;
  /** The issuer whose tokens a pool of this id accepts; its keys are where Cognito has them, below it. */
  issuerOf(userPoolId: string): string;
  /** The key, as it is published. */
  readonly jwk: JsonWebKey;
  /** An RS256 token with exactly these claims. */
  sign(claims: object): string;
  stop(): Promise<void>;
}

const KID = 'dev';

/** Starts on a port (0: a free one), with a key that was never anywhere else. */
export async function startTokenIssuer(port: number, host: string): Promise<TokenIssuer> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: KID, alg: 'RS256', use: 'sig' };
  const keySet = JSON.stringify({ keys: [jwk] });
  const server = createServer((request, response) => {
    const known = request.url?.endsWith('/.well-known/jwks.json') ?? false;
    response.writeHead(known ? 200 : 404, { 'content-type': 'application/json' });
    response.end(known ? keySet : '{"message":"Not Found"}');
  });
  server.listen(port, host);
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    origin,
    jwk,
    issuerOf: (userPoolId) => `${origin}/${userPoolId}`,
    sign(claims) {
      const signed = [{ alg: 'RS256', kid: KID }, claims].map(encodePart).join('.');
      return `${signed}.${sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}`;
    },
    async stop() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function encodePart(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
