import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { examine } from '../../../bench/contenders/examine.ts';
import { createMint, ISSUER, type Mint } from '../../../bench/world/tokens.ts';

let folder: string;
let mint: Mint;
let server: Server;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bench-examine-'));
  mint = createMint(folder);
});
afterEach(() => {
  server.close();
  server.closeAllConnections();
  rmSync(folder, { recursive: true });
});

type Check = 'signature' | 'expiry' | 'issuer' | 'group' | 'scope' | 'route' | 'token';

/** A gateway that checks everything but what it leaves out, and the port it listens on. */
async function startGateway(leftOut: Check | null, genuine: ReadonlySet<string>): Promise<number> {
  server = createServer((request, response) => {
    const answer = (status: number): void => void response.writeHead(status).end();
    const fails = (check: Check, failed: boolean): boolean => leftOut !== check && failed;
    if (request.url?.startsWith('/public/')) return answer(200);
    if (fails('route', !/^\/service-/.test(request.url ?? ''))) return answer(404);
    const token = request.headers.authorization?.slice(7);
    if (token === undefined) return answer(leftOut === 'token' ? 200 : 401);
    const { iss, exp = 0, scope, 'cognito:groups': groups } = decodeJwt(token);
    const [group, needed] = request.method === 'GET' ? ['readers', 'board/read'] : ['writers', 'board/write'];
    if (fails('signature', !genuine.has(token.split('.')[2] ?? ''))) return answer(401);
    if (fails('issuer', iss !== ISSUER) || fails('expiry', exp * 1000 < Date.now())) return answer(401);
    if (fails('group', !(groups as string[] | undefined)?.includes(group))) return answer(403);
    if (fails('scope', !String(scope).split(' ').includes(needed))) return answer(403);
    answer(200);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** Remembers the signatures that the mint makes, so that the gateway above knows them from others. */
function watchMint(): { readonly watched: Mint; readonly genuine: ReadonlySet<string> } {
  const genuine = new Set<string>();
  const token: Mint['token'] = (changes) => {
    const made = mint.token(changes);
    genuine.add(made.split('.')[2] ?? '');
    return made;
  };
  return { watched: { ...mint, token }, genuine };
}

it('is content with a contender that checks what all must check', async () => {
  const { watched, genuine } = watchMint();
  const port = await startGateway(null, genuine);
  await expect(examine('it', port, watched)).resolves.toBeUndefined();
});

it.each([
  ['token', 'it answers no token with 200, expected 401'],
  ['signature', 'it answers a wrong signature with 200, expected 401'],
  ['expiry', 'it answers an expired token with 200, expected 401'],
  ['issuer', 'it answers another issuer with 200, expected 401'],
  ['group', 'it answers the group missing with 200, expected 403'],
  ['scope', 'it answers the scope missing with 200, expected 403'],
  ['route', 'it answers no route with 200, expected 404'],
] as const)('finds out a contender that leaves out the %s', async (leftOut, message) => {
  const { watched, genuine } = watchMint();
  const port = await startGateway(leftOut, genuine);
  await expect(examine('it', port, watched)).rejects.toThrow(message);
});
