import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../../..');

/** Which of the packages for Redis a process has loaded after this, each of them being CommonJS. */
function loadedBy(script: string): string[] {
  const program = `
    import { createRequire } from 'node:module';
    ${script}
    const files = Object.keys(createRequire(import.meta.url).cache).join('\\n');
    const packages = ['ioredis', 'rate-limiter-flexible'];
    console.log(JSON.stringify(packages.filter((name) => files.includes('/node_modules/' + name + '/'))));
  `;
  const args = ['--input-type=module-typescript', '--eval', program];
  return JSON.parse(execFileSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' })) as string[];
}

describe('the packages for Redis', () => {
  it('are not loaded by a proxy that counts in memory', () => {
    expect(
      loadedBy(`
        const { createService } = await import('./src/service.ts');
        const { configSchema } = await import('./src/config/schema/config.ts');
        const service = createService(configSchema.parse({
          server: { listen: '127.0.0.1:0', shutdown: { unready: '0s', drain: '0s' } },
          admin: { listen: '127.0.0.1:0' },
          log: { level: 'silent' },
          upstreams: { board: { url: 'http://127.0.0.1:1' } },
          routes: [{
            id: 'a',
            match: { path: '/a' },
            allow: 'public',
            upstream: 'board',
            rateLimit: { by: 'address', requests: 1, per: '1s' },
          }],
        }));
        const { proxy } = await service.start();
        await (await fetch(proxy + '/a')).text();
        await service.stop();
      `),
    ).toEqual([]);
  });

  it('are loaded by a store in Redis', () => {
    expect(
      loadedBy(`
        const { createRedisStore } = await import('./src/limit/redis-store.ts');
        const { systemClock } = await import('./src/core/system-clock.ts');
        const store = createRedisStore({ url: 'redis://127.0.0.1:1', timeout: 100, clock: systemClock });
        await store.start();
        store.stop();
      `),
    ).toEqual(['ioredis', 'rate-limiter-flexible']);
  });
});
