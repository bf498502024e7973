import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type Config, configSchema } from '../../../src/config/schema/config.ts';
import type { ServiceOverrides } from '../../../src/core/service.ts';
import { type DevPorts, startDevStack } from '../../../src/dev/dev-stack.ts';
import { openRaw } from '../../support/raw-http.ts';

const FREE: DevPorts = { proxy: 0, admin: 0, cognito: 0, upstream: 0 };

/** A proxy's place in the stack: notes what it is given and when it is stopped. */
function proxyStandIn(start: () => Promise<void> = async () => undefined) {
  const notes = {
    configs: [] as Config[],
    overrides: [] as ServiceOverrides[],
    stops: 0,
    lines: [] as string[],
  };
  return {
    notes,
    parts: {
      readConfig: (document: unknown) => configSchema.parse(document),
      overrides: {},
      progress: (line: string) => void notes.lines.push(line),
      createService(config: Config, overrides: ServiceOverrides) {
        notes.configs.push(config);
        notes.overrides.push(overrides);
        return {
          start: () => start().then(() => ({ proxy: 'http://127.0.0.1:1', admin: 'http://127.0.0.1:2' })),
          async stop() {
            notes.stops += 1;
          },
        };
      },
    },
  };
}

let squatter: Server | undefined;
afterEach(() => void squatter?.close());

async function takePort(): Promise<number> {
  squatter = createServer().listen(0, '127.0.0.1');
  await once(squatter, 'listening');
  return (squatter.address() as { port: number }).port;
}

describe('startDevStack', () => {
  it('starts all in order, says where it is, and stops it again', async () => {
    const { parts, notes } = proxyStandIn();
    const stack = await startDevStack({ ...parts, ports: FREE });
    const { summary } = stack;

    expect(notes.lines).toEqual([
      'starting a Cognito user pool',
      'signing in alice and bob',
      'starting a sample upstream',
      'starting the proxy',
    ]);
    expect(Object.keys(summary)).toEqual([
      'proxy',
      'admin',
      'cognito',
      'upstream',
      'userPoolId',
      'clientId',
      'users',
    ]);
    expect(Object.keys(summary.users.alice).sort()).toEqual(['accessToken', 'idToken', 'username']);
    expect(notes.overrides).toEqual([{ dev: true }]);
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
    expect(notes.stops).toBe(1);
    await expect(openRaw(summary.cognito)).rejects.toThrow('ECONNREFUSED');
    await expect(openRaw(summary.upstream)).rejects.toThrow('ECONNREFUSED');
  });

  it.each([
    ['cognito', '--cognito-port', 0],
    ['upstream', '--upstream-port', 0],
    ['proxy', '--port', 1],
    ['admin', '--admin-port', 1],
  ] as const)('says how to move the port of %s when it is taken', async (name, option, stops) => {
    const port = await takePort();
    const { parts, notes } = proxyStandIn(async () => {
      const taken = createServer();
      taken.listen(port, '127.0.0.1');
      await once(taken, 'listening');
    });
    const starting = startDevStack({ ...parts, ports: { ...FREE, [name]: port } });
    await expect(starting).rejects.toThrow(
      `port ${port} (${name}) is in use: stop what listens there, or move it with ${option} PORT (0: a free one)`,
    );
    expect(notes.stops).toBe(stops);
  });

  it('stops what has started when a later part fails', async () => {
    let upstream = '';
    const { parts, notes } = proxyStandIn(async () => {
      upstream = notes.configs[0]?.upstreams.sample?.url ?? '';
      throw new Error('no luck');
    });
    await expect(startDevStack({ ...parts, ports: FREE })).rejects.toThrow('no luck');
    expect(notes.stops).toBe(1);
    await expect(openRaw(upstream)).rejects.toThrow('ECONNREFUSED');
    await expect(openRaw(notes.configs[0]?.userPools.dev?.issuer ?? '')).rejects.toThrow('ECONNREFUSED');
  });
});
