import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { Config } from '../../../src/config/schema/config.ts';
import { writeOwnConfigGuide } from '../../../src/dev/own-config-guide.ts';
import { startOwnConfigStack } from '../../../src/dev/own-config-stack.ts';
import { createLogger } from '../../../src/observe/logger.ts';
import { createService } from '../../../src/service.ts';
import { configOf } from '../../support/config-text.ts';
import { openRaw } from '../../support/raw-http.ts';

const OWN = configOf(`
  server: { listen: 192.0.2.1:80, workers: 4 }
  admin: { listen: 192.0.2.1:81 }
  userPools:
    main: { userPoolId: us-east-1_Test, clientIds: [app], keys: { url: https://keys.internal/jwks.json } }
    partner-pool: { userPoolId: eu-west-1_Partners, clientIds: [theirs], issuer: https://issuer.internal/x }
  upstreams:
    board: { urls: [https://board-1.internal/base, https://board-2.internal/base], tls: { servername: board } }
  routes:
    - id: ours
      match: { path: /ours }
      allow: { userPools: main, groups: [staff] }
      upstream: board
    - id: theirs
      match: { path: /theirs }
      allow: { userPools: [partner-pool], scopes: [x/read] }
      upstream: board
`);

async function start(own: Config, upstreamPort = 0) {
  const configs: Config[] = [];
  const lines: string[] = [];
  const stack = await startOwnConfigStack(own, {
    ports: { proxy: 0, admin: 0, cognito: 0, upstream: upstreamPort },
    host: '127.0.0.1',
    createService(config, overrides) {
      configs.push(config);
      return createService(config, overrides);
    },
    overrides: { logger: createLogger('silent') },
    progress: (line) => void lines.push(line),
  });
  return { stack, configs, lines };
}

describe('startOwnConfigStack', () => {
  it('replaces everything around the rules, and plays callers of every pool', async () => {
    const { stack, configs, lines } = await start(OWN);
    const { summary } = stack;
    expect(lines).toEqual([
      'starting a stand-in for the user pools',
      'starting a stand-in for identity pools and STS',
      'starting a sample upstream',
      'starting the proxy',
    ]);
    expect(configs[0]?.routes).toBe(OWN.routes);
    expect(Object.keys(summary.tokens)).toEqual([
      'ALICE_MAIN',
      'BOB_MAIN',
      'MACHINE_MAIN',
      'ALICE_PARTNER_POOL',
      'BOB_PARTNER_POOL',
      'MACHINE_PARTNER_POOL',
    ]);

    const ask = async (path: string, caller: string): Promise<[number, string | undefined]> => {
      const headers = { authorization: `Bearer ${summary.tokens[caller]}` };
      const answer = await fetch(summary.proxy + path, { headers });
      const body = (await answer.json()) as { path?: string; code?: string };
      return [answer.status, body.path ?? body.code];
    };
    expect(await ask('/ours', 'ALICE_MAIN')).toEqual([200, '/base/ours']);
    expect(await ask('/ours', 'BOB_MAIN')).toEqual([403, 'AUTHZ_GROUP_REQUIRED']);
    expect(await ask('/ours', 'ALICE_PARTNER_POOL')).toEqual([403, 'AUTHZ_USER_POOL_MISMATCH']);
    expect(await ask('/theirs', 'MACHINE_PARTNER_POOL')).toEqual([200, '/base/theirs']);
    expect(await ask('/theirs', 'ALICE_PARTNER_POOL')).toEqual([403, 'AUTHZ_SCOPE_REQUIRED']);

    await stack.stop();
    for (const origin of [summary.proxy, summary.admin, summary.cognito, summary.upstream]) {
      await expect(openRaw(origin)).rejects.toThrow('ECONNREFUSED');
    }
  });

  it('signs as the configuration says, with credentials that the upstream knows', async () => {
    const own = configOf(`
      userPools:
        main: { userPoolId: us-east-1_Test, clientIds: [app], tokenUse: [access, id] }
      identityPools:
        people: { identityPoolId: "us-east-1:11111111-2222-3333-4444-555555555555", userPool: main, guest: true }
      upstreams:
        theirs:
          url: https://abc123.execute-api.us-east-1.amazonaws.com/prod
          sign:
            credentials: { identityPool: people }
            roles: [{ when: { groups: staff }, roleArn: "arn:aws:iam::111122223333:role/staff" }]
        ours:
          url: https://abc123.execute-api.eu-west-1.amazonaws.com
          sign: { credentials: { source: default }, roleArn: "arn:aws:iam::111122223333:role/proxy" }
      routes:
        - { id: theirs, match: { path: /theirs }, allow: optional, upstream: theirs }
        - { id: ours, match: { path: /ours }, allow: authenticated, upstream: ours }
    `);
    const { stack } = await start(own);
    const { proxy, tokens } = stack.summary;
    const ask = async (path: string, caller?: string, idToken?: string): Promise<unknown> => {
      const headers = {
        ...(caller === undefined ? {} : { authorization: `Bearer ${tokens[caller]}` }),
        ...(idToken === undefined ? {} : { 'x-id-token': tokens[idToken] ?? '' }),
      };
      const answer = await fetch(proxy + path, { headers });
      const { signature, code } = (await answer.json()) as { signature?: { valid: boolean }; code?: string };
      return code ?? signature?.valid;
    };
    expect(await ask('/theirs')).toBe(true);
    expect(await ask('/theirs', 'ALICE', 'ALICE_ID')).toBe(true);
    expect(await ask('/theirs', 'BOB', 'BOB_ID')).toBe(true);
    expect(await ask('/theirs', 'BOB')).toBe('SIGN_ID_TOKEN_REQUIRED');
    expect(await ask('/theirs', 'BOB', 'ALICE_ID')).toBe('AUTHN_ID_TOKEN_MISMATCH');
    expect(await ask('/ours', 'BOB')).toBe(true);
    await stack.stop();
  });

  it('says which port is taken, and leaves nothing behind', async () => {
    const squatter = createServer().listen(0, '127.0.0.1');
    await once(squatter, 'listening');
    const { port } = squatter.address() as { port: number };
    await expect(start(OWN, port)).rejects.toThrow(
      `port ${port} (upstream) is in use: stop what listens there, or move it with --upstream-port PORT (0: a free one)`,
    );
    squatter.close();
  });
});

describe('writeOwnConfigGuide', () => {
  const summary = {
    proxy: 'http://127.0.0.1:8080',
    admin: 'http://127.0.0.1:9090',
    cognito: 'http://127.0.0.1:9229',
    upstream: 'http://127.0.0.1:3000',
    tokens: { ALICE: 'a.b.c', BOB: 'd.e.f' },
  };

  it('says who is who, and has their tokens ready for a shell', () => {
    expect(
      writeOwnConfigGuide({ ...summary, asked: { groups: ['x', 'y'], scopes: ['z/1'], roles: [] } }),
    ).toBe(`
proxy      http://127.0.0.1:8080
admin      http://127.0.0.1:9090  (its status page, in a browser; its routes: curl -s http://127.0.0.1:9090/)
upstream   http://127.0.0.1:3000  (stands in for all of them, and says back what it gets)

alice is in the groups x, y, bob in none; machine is a client with the scopes z/1. In another terminal:

export ALICE=a.b.c
export BOB=d.e.f

Ctrl-C stops it all.
`);
  });

  it('says so where rules ask for nothing', () => {
    expect(writeOwnConfigGuide({ ...summary, asked: { groups: [], scopes: [], roles: [] } })).toContain(
      '\nalice and bob are signed in, in no group. In another terminal:\n',
    );
  });
});
