import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { type Program, runProgram } from './program.ts';

/** A Redis server that can be killed and started again at the same address. Nothing it holds outlives it. */
export interface RedisServer {
  /** Where clients connect. */
  readonly url: string;
  /** For a look inside. */
  inspect<T>(look: (redis: Redis) => Promise<T>): Promise<T>;
  /** Connections of clients that are open now. */
  readonly connections: number;
  /** Ends it as the kernel does when memory is short. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** It takes connections and bytes, and does nothing with them. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

/**
 * Starts Debian's redis-server behind a relay of ours: the server listens on a socket in a folder of its own, so that no port can
 * be taken by somebody else between two of its lives.
 * @param options as on its command line, such as `--requirepass secret`
 */
export async function startRedisServer(options: readonly string[] = []): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'redis-test-'));
  const path = join(folder, 'redis.sock');
  const clients = new Set<Socket>();
  let program: Program | null = null;

  const relay = createServer((client) => {
    const server = connect(path);
    clients.add(client);
    client.on('close', () => {
      clients.delete(client);
      server.destroy();
    });
    server.on('close', () => client.destroy());
    for (const socket of [client, server]) socket.on('error', () => undefined);
    client.pipe(server).pipe(client);
  });
  relay.listen(0, '127.0.0.1');
  await once(relay, 'listening');
  const { port } = relay.address() as AddressInfo;

  const start = async (): Promise<void> => {
    const quiet = ['--save', '', '--appendonly', 'no', '--dir', folder];
    program = runProgram('redis-server', ['--port', '0', '--unixsocket', path, ...quiet, ...options]);
    while (!(await program.line()).includes('ready to accept connections'));
  };
  const kill = async (): Promise<void> => {
    program?.signal('SIGKILL');
    await program?.exited;
    program = null;
  };

  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    get connections() {
      return clients.size;
    },
    async inspect(look) {
      const redis = new Redis(path);
      try {
        return await look(redis);
      } finally {
        redis.disconnect();
      }
    },
    kill,
    start,
    freeze: () => program?.signal('SIGSTOP'),
    thaw: () => program?.signal('SIGCONT'),
    async stop() {
      await kill();
      for (const client of clients) client.destroy();
      relay.close();
      await once(relay, 'close');
      rmSync(folder, { recursive: true });
    },
  };
}
