import { afterEach, beforeEach, describe, expect } from 'vitest';
import { itWith } from '../../support/debian-tools.ts';
import { bearer, type ProxyConfig, type ProxyUnderTest, startProxy } from '../../support/proxy.ts';
import type { RawResponse } from '../../support/raw-http.ts';
import { type RedisServer, startRedisServer } from '../../support/redis-server.ts';
import { refusingOrigin } from '../../support/refusing-origin.ts';
import { takePort } from '../../support/served.ts';

const itWithRedis = itWith('redis-server');

let redis: RedisServer | null = null;
let proxies: ProxyUnderTest[] = [];

beforeEach(() => {
  redis = null;
  proxies = [];
});
afterEach(async () => {
  for (const proxy of proxies) await proxy.stop();
  await redis?.stop();
});

type RateLimits = NonNullable<ProxyConfig['rateLimits']>;

function configOf(rateLimits: RateLimits): ProxyConfig {
  const route = { allow: 'authenticated', upstream: 'board' } as const;
  return {
    rateLimits,
    routes: [
      {
        ...route,
        id: 'posts',
        match: { path: '/posts' },
        rateLimit: { by: 'caller', requests: 5, per: '1h' },
      },
      { ...route, id: 'free', match: { path: '/free' } },
    ],
  };
}

async function start(rateLimits: RateLimits): Promise<ProxyUnderTest> {
  const proxy = await startProxy(configOf(rateLimits));
  proxies.push(proxy);
  return proxy;
}

const ask = (proxy: ProxyUnderTest, path = '/posts', sub = 'alice'): Promise<RawResponse> =>
  proxy.request(`GET ${path} HTTP/1.1`, [bearer(proxy.token({ sub }))]);

/** Asks until there is this status: for what takes a moment to be noticed. */
async function until(
  proxy: ProxyUnderTest,
  wanted: (response: RawResponse) => boolean,
): Promise<RawResponse> {
  for (let i = 0; ; i++) {
    const response = await ask(proxy, '/posts', `somebody ${i}`);
    if (wanted(response)) return response;
  }
}

const isCounted = (response: RawResponse): boolean => response.header('ratelimit') !== undefined;
const isNotCounted = (response: RawResponse): boolean => !isCounted(response);

function expectClosed(response: RawResponse): void {
  expect([response.status, response.header('retry-after'), response.json()]).toMatchObject([
    503,
    '1',
    { message: 'Service Unavailable', code: 'LIMIT_RATE_UNKNOWN' },
  ]);
  expect(response.header('ratelimit')).toBeUndefined();
}

const messages = (proxy: ProxyUnderTest): string[] =>
  proxy.log.map(({ message }) => message).filter((message) => message.startsWith('the store of rate limits'));

/** What the log says of the store's absence, from the outside in. */
function reasons(proxy: ProxyUnderTest): string {
  const line = proxy.log.find(({ message }) => message === 'the store of rate limits does not answer');
  const texts: string[] = [];
  for (let error = line?.['err']; error instanceof Error; error = error.cause) texts.push(error.message);
  return texts.join(': ');
}

describe('several proxies with one Redis', () => {
  itWithRedis('count together', async () => {
    redis = await startRedisServer();
    const store = { redis: redis.url };
    for (let i = 0; i < 3; i++) await start({ store, onStoreFailure: 'closed', timeout: '5s' });
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, i) => ask(proxies[i % 3] as ProxyUnderTest)),
    );
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([...Array(5).fill(200), ...Array(25).fill(429)]);
    for (const answer of answers.filter(({ status }) => status === 429)) {
      expect(answer.json()).toMatchObject({ message: 'Too Many Requests', code: 'LIMIT_RATE' });
      expect(answer.header('ratelimit-policy')).toBe('"posts";q=5;w=3600');
      expect(answer.header('ratelimit')).toBe(`"posts";r=0;t=${answer.header('retry-after')}`);
    }
    expect((await ask(proxies[1] as ProxyUnderTest, '/posts', 'bob')).header('ratelimit')).toMatch(/;r=4;/);
  });

  itWithRedis('ask no more about whoever is known to be over the limit', async () => {
    redis = await startRedisServer();
    const proxy = await start({ store: { redis: redis.url }, onStoreFailure: 'closed', timeout: '5s' });
    for (let i = 0; i < 6; i++) await ask(proxy);
    await redis.kill();
    expect((await ask(proxy)).status).toBe(429);
  });
});

describe('while Redis is dead', () => {
  itWithRedis('limited routes are closed, where that was chosen; it comes back by itself', async () => {
    redis = await startRedisServer();
    const proxy = await start({ store: { redis: redis.url }, onStoreFailure: 'closed', timeout: '5s' });
    expect((await until(proxy, isCounted)).status).toBe(200);
    await redis.kill();
    const { requests } = proxy.upstream;
    const before = requests.length;
    for (let i = 0; i < 5; i++) expectClosed(await ask(proxy));
    expect(requests).toHaveLength(before);
    expect((await ask(proxy, '/free')).status).toBe(200);
    expect((await fetch(`${proxy.admin}/readyz`)).status).toBe(200);
    expect(messages(proxy)).toEqual(['the store of rate limits does not answer']);
    expect(await proxy.metrics()).toMatch(
      /^cognito_auth_proxy_rate_limit_store_total{result="failure"} [1-9]/m,
    );
    expect(await proxy.metrics()).toContain(
      'cognito_auth_proxy_decisions_total{route="posts",decision="fault",code="LIMIT_RATE_UNKNOWN"}',
    );

    await redis.start();
    expect((await until(proxy, isCounted)).status).toBe(200);
    for (let i = 0; i < 5; i++) expect((await ask(proxy)).status).toBe(200);
    expect((await ask(proxy)).status).toBe(429);
  });

  itWithRedis('limited routes are open, where that was chosen; then they are limited again', async () => {
    redis = await startRedisServer();
    const proxy = await start({ store: { redis: redis.url }, onStoreFailure: 'open', timeout: '5s' });
    expect((await until(proxy, isCounted)).status).toBe(200);
    await redis.kill();
    for (let i = 0; i < 10; i++) {
      const response = await ask(proxy);
      expect([response.status, response.header('ratelimit')]).toEqual([200, undefined]);
    }
    await redis.start();
    await until(proxy, isCounted);
    for (let i = 0; i < 5; i++) expect((await ask(proxy)).status).toBe(200);
    expect((await ask(proxy)).status).toBe(429);
  });

  itWithRedis('requests under way are answered, each once', async () => {
    redis = await startRedisServer();
    const proxy = await start({ store: { redis: redis.url }, onStoreFailure: 'closed', timeout: '5s' });
    await until(proxy, isCounted);
    redis.freeze();
    const asked = Array.from({ length: 20 }, (_, i) => ask(proxy, '/posts', `caller ${i}`));
    await redis.kill();
    for (const response of await Promise.all(asked)) expectClosed(response);
  });

  itWithRedis('a reload may change the choice', async () => {
    redis = await startRedisServer();
    const store = { redis: redis.url };
    const proxy = await start({ store, onStoreFailure: 'closed', timeout: '5s' });
    await redis.kill();
    await until(proxy, isNotCounted);
    expectClosed(await ask(proxy));
    await proxy.reload(configOf({ store, onStoreFailure: 'open' }));
    expect((await ask(proxy)).status).toBe(200);
  });
});

describe('while Redis hangs', () => {
  itWithRedis('nobody waits longer than the timeout, and then nobody waits at all', async () => {
    redis = await startRedisServer();
    const proxy = await start({ store: { redis: redis.url }, onStoreFailure: 'closed' });
    await until(proxy, isCounted);
    redis.freeze();
    for (let i = 0; i < 3; i++) expectClosed(await ask(proxy));
    // The connection is given up by and by; a new one hangs before it is of use.
    while (redis.connections > 0) expectClosed(await ask(proxy));
    expectClosed(await ask(proxy));
    redis.thaw();
    expect((await until(proxy, isCounted)).status).toBe(200);
  });
});

describe('a Redis that cannot be used', () => {
  itWithRedis('from the start keeps nobody from starting, and is found when it is there', async () => {
    redis = await startRedisServer();
    await redis.kill();
    const proxy = await start({ store: { redis: redis.url }, onStoreFailure: 'closed' });
    expectClosed(await ask(proxy));
    expect((await ask(proxy, '/free')).status).toBe(200);
    await redis.start();
    expect((await until(proxy, isCounted)).status).toBe(200);
  });

  itWithRedis('because it is a replica is a failure, until it is the primary', async () => {
    redis = await startRedisServer(['--replicaof', '127.0.0.1', '1', '--replica-serve-stale-data', 'yes']);
    const proxy = await start({ store: { redis: redis.url }, onStoreFailure: 'closed', timeout: '5s' });
    expectClosed(await ask(proxy));
    await redis.inspect((client) => client.replicaof('NO', 'ONE'));
    expect((await until(proxy, isCounted)).status).toBe(200);
  });

  itWithRedis('because its memory is full is a failure', async () => {
    redis = await startRedisServer(['--maxmemory', '1', '--maxmemory-policy', 'noeviction']);
    const proxy = await start({ store: { redis: redis.url }, onStoreFailure: 'closed', timeout: '5s' });
    expectClosed(await ask(proxy));
  });

  itWithRedis('without its password is a failure, and no password is told', async () => {
    redis = await startRedisServer(['--requirepass', 'right-password']);
    const { url } = redis;
    const withPassword = (password: string): string => url.replace('//', `//:${password}@`);
    const settings = { onStoreFailure: 'closed', timeout: '5s' } as const;
    const right = await start({ ...settings, store: { redis: withPassword('right-password') } });
    expect((await until(right, isCounted)).status).toBe(200);
    const wrong = await start({ ...settings, store: { redis: withPassword('wrong-password') } });
    expectClosed(await ask(wrong));
    expect(reasons(wrong)).toMatch(/^Redis does not count: WRONGPASS/);
    const none = await start({ ...settings, store: { redis: url } });
    expectClosed(await ask(none));
    expect(reasons(none)).toMatch(/^Redis does not count: NOAUTH/);
    for (const proxy of proxies) expect(JSON.stringify(proxy.log)).not.toMatch(/(right|wrong)-password/);
  });

  itWithRedis('because nobody listens there is a failure, open or closed', async () => {
    const store = { redis: (await refusingOrigin()).replace('http:', 'redis:') };
    const closed = await start({ store, onStoreFailure: 'closed' });
    expectClosed(await ask(closed));
    expect(reasons(closed)).toMatch(/^Redis does not count: .*ECONNREFUSED/);
    expect((await ask(await start({ store, onStoreFailure: 'open' }))).status).toBe(200);
  });
});

describe('a proxy that cannot start', () => {
  itWithRedis('leaves no connection to Redis behind', async () => {
    redis = await startRedisServer();
    const { port, giveBack } = await takePort();
    const config = configOf({ store: { redis: redis.url }, onStoreFailure: 'closed' });
    await expect(startProxy({ ...config, server: { listen: `127.0.0.1:${port}` } })).rejects.toThrow(
      'EADDRINUSE',
    );
    while (redis.connections > 0) await redis.inspect((client) => client.ping());
    await giveBack();
  });
});

describe('a proxy that stops', () => {
  itWithRedis('leaves no connection to Redis behind', async () => {
    redis = await startRedisServer();
    const proxy = await start({ store: { redis: redis.url }, onStoreFailure: 'closed' });
    await until(proxy, isCounted);
    expect(redis.connections).toBe(1);
    await proxies.pop()?.stop();
    while (redis.connections > 0) await redis.inspect((client) => client.ping());
  });
});
