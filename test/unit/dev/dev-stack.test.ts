import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type Config, configSchema } from '../../../src/config/schema/config.ts';
import type { ServiceOverrides } from '../../../src/core/service.ts';
import { type DevPorts, type DevStackParts, startDevStack } from '../../../src/dev/dev-stack.ts';
import { createLogger } from '../../../src/observe/logger.ts';
import { createService } from '../../../src/service.ts';
import { openRaw } from '../../support/raw-http.ts';

const FREE: DevPorts = { proxy: 0, admin: 0, cognito: 0, upstream: 0 };

/** The real service, with notes of what it was made of. */
function makeParts(ports: DevPorts, changes: Partial<DevStackParts> = {}) {
  const notes = { lines: [] as string[], configs: [] as Config[], overrides: [] as ServiceOverrides[] };
  const logger = createLogger('silent');
  const parts: DevStackParts = {
    ports,
    host: '127.0.0.1',
    readConfig: (document) => configSchema.parse(document),
    createService(config, overrides) {
      notes.configs.push(config);
      notes.overrides.push(overrides);
      return createService(config, overrides);
    },
    overrides: { logger },
    progress: (line) => void notes.lines.push(line),
    ...changes,
  };
  return { parts, notes, logger };
}

let squatter: Server | undefined;
afterEach(() => void squatter?.close());

async function takePort(): Promise<number> {
  squatter = createServer().listen(0, '127.0.0.1');
  await once(squatter, 'listening');
  return (squatter.address() as { port: number }).port;
}

const expectGone = (origin: string): Promise<void> => expect(openRaw(origin)).rejects.toThrow('ECONNREFUSED');

describe('startDevStack', () => {
  it('starts all in order, is ready, says where it is, and stops it again', async () => {
    const { parts, notes, logger } = makeParts(FREE);
    const stack = await startDevStack(parts);
    const { summary } = stack;

    expect((await fetch(`${summary.admin}/readyz`)).status).toBe(200);
    expect(notes.lines).toEqual([
      'starting a Cognito user pool',
      'signing in alice and bob',
      'starting an identity pool',
      'starting a sample upstream',
      'starting the proxy',
    ]);
    expect(Object.keys(summary)).toEqual([
      'proxy',
      'admin',
      'cognito',
      'upstream',
      'identityPool',
      'userPoolId',
      'clientId',
      'identityPoolId',
      'users',
    ]);
    expect(Object.keys(summary.users.alice).sort()).toEqual(['accessToken', 'idToken', 'username']);
    expect(notes.overrides).toEqual([{ dev: true, logger }]);
    expect(notes.configs[0]).toMatchObject({
      userPools: {
        dev: {
          userPoolId: summary.userPoolId,
          clientIds: [summary.clientId],
          issuer: `${summary.cognito}/${summary.userPoolId}`,
          tokenUse: ['access', 'id'],
        },
      },
      upstreams: { sample: { url: summary.upstream } },
    });

    await stack.stop();
    await stack.ended;
    for (const origin of [
      summary.proxy,
      summary.admin,
      summary.cognito,
      summary.upstream,
      summary.identityPool,
    ]) {
      await expectGone(origin);
    }
  });

  it.each([
    ['cognito', '--cognito-port'],
    ['upstream', '--upstream-port'],
    ['proxy', '--port'],
    ['admin', '--admin-port'],
  ] as const)(
    'says how to move the port of %s when it is taken, and leaves nothing running',
    async (name, option) => {
      const port = await takePort();
      const { parts, notes } = makeParts({ ...FREE, [name]: port });
      await expect(startDevStack(parts)).rejects.toThrow(
        `port ${port} (${name}) is in use: stop what listens there, or move it with ${option} PORT (0: a free one)`,
      );
      const [config] = notes.configs;
      if (config === undefined) return;
      await expectGone(config.userPools.dev?.issuer ?? '');
      await expectGone(config.upstreams.sample?.url ?? '');
    },
  );

  it('stops what has started when the proxy fails', async () => {
    let stops = 0;
    const { parts, notes } = makeParts(FREE, {
      createService: (config) => ({
        async start() {
          notes.configs.push(config);
          throw new Error('no luck');
        },
        async stop() {
          stops += 1;
        },
      }),
    });
    await expect(startDevStack(parts)).rejects.toThrow('no luck');
    expect(stops).toBe(1);
    await expectGone(notes.configs[0]?.userPools.dev?.issuer ?? '');
    await expectGone(notes.configs[0]?.upstreams.sample?.url ?? '');
  });
});
