import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { configSchema } from '../../src/config/schema/config.ts';
import type { Clock } from '../../src/core/ports.ts';
import { systemClock } from '../../src/core/system-clock.ts';
import { explainRequest } from '../../src/explain.ts';
import { type EventStream, listen } from '../support/event-stream.ts';
import {
  bearer,
  CLIENT_ID,
  POOL_ID,
  type ProxyConfig,
  type ProxyUnderTest,
  startProxy,
} from '../support/proxy.ts';
import { followServe, prepareSurroundings, runServe } from '../support/served.ts';

vi.setConfig({ testTimeout: 60_000 });

interface StatusEvent {
  readonly level: string;
  readonly headline: string;
  readonly parts: Readonly<Record<string, string>>;
}

const SECRET = 'wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY';
const CONFIG: ProxyConfig = {
  upstreams: {
    board: {},
    archive: {
      url: 'https://archive.s3.us-east-1.amazonaws.com',
      sign: { credentials: { static: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: SECRET } } },
    },
  },
  rateLimits: { store: { redis: 'redis://someone:pass-to-redis@127.0.0.1:1' }, onStoreFailure: 'open' },
  routes: [
    { id: 'open', match: { path: '/open' }, allow: 'public', upstream: 'board' },
    {
      id: 'posts',
      match: { methods: ['POST'], path: '/posts' },
      allow: { groups: ['writers'] },
      upstream: 'board',
    },
    { id: 'archive', match: { path: '/archive/{key+}' }, allow: 'authenticated', upstream: 'archive' },
  ],
};

let proxy: ProxyUnderTest;
const opened: EventStream[] = [];

const follow = async (): Promise<EventStream> => {
  const stream = await listen(`${proxy.admin}/events`);
  opened.push(stream);
  return stream;
};
const pageOf = async (admin: string, accept = 'text/html'): Promise<string> =>
  (await fetch(admin, { headers: { accept } })).text();
/** What stands in a cell of a route's row. */
const routeCell = (page: string, route: string, label: string): string | undefined =>
  new RegExp(`<th scope="row">${route}<.*?data-label="${label}">(.*?)<`).exec(page)?.[1];
const explain = (body: object, accept = 'application/json') =>
  fetch(`${proxy.admin}/explain`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept },
    body: JSON.stringify(body),
  });

beforeEach(async () => {
  proxy = await startProxy(CONFIG);
});
afterEach(async () => {
  for (const stream of opened.splice(0)) stream.close();
  await proxy.stop();
});

describe('GET /events', () => {
  it('sends all of the status first, and then what has changed', async () => {
    const stream = await follow();
    expect([stream.status, stream.headers['content-type']]).toEqual([200, 'text/event-stream']);
    const first = (await stream.next()) as StatusEvent;
    expect(first).toMatchObject({ level: 'ok' });
    expect(Object.keys(first.parts)).toEqual([
      'headline',
      'traffic',
      'routes',
      'upstreams',
      'pools',
      'credentials',
      'limits',
      'reloads',
    ]);
    await proxy.request('GET /open HTTP/1.1');
    for (;;) {
      const { parts } = (await stream.next()) as StatusEvent;
      expect(parts).not.toHaveProperty('credentials');
      if (parts['routes']?.includes('data-label="in all">1<')) break;
    }
  });

  it('tells whom the fault is, and when it is over', async () => {
    const stream = await follow();
    const until = async (level: string): Promise<StatusEvent> => {
      for (;;) {
        const event = (await stream.next()) as StatusEvent;
        if (event.level === level) return event;
      }
    };
    proxy.service.reloadFailed();
    expect((await until('warning')).headline).toMatch(
      /^The configuration that was read last is refused; .*, since \d\d:\d\d UTC: /,
    );
    await proxy.reload(CONFIG);
    expect((await until('ok')).headline).toMatch(/^All well/);
  });

  it('has so many listeners and no more; one that goes makes room', async () => {
    const streams = await Promise.all(Array.from({ length: 16 }, follow));
    expect(new Set(streams.map(({ status }) => status))).toEqual(new Set([200]));
    const refused = await fetch(`${proxy.admin}/events`);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
    streams[0]?.close();
    while ((await follow()).status !== 200);
    // Whoever listens hears, the last as well as the first.
    expect(await opened.at(-1)?.next()).toHaveProperty('headline');
  });

  it('does not keep the service from stopping, and ends with it', async () => {
    const waiting = new Map<object, number>();
    const clock: Clock = {
      ...systemClock,
      after(milliseconds, run) {
        const timer = systemClock.after(milliseconds, () => {
          waiting.delete(timer);
          run();
        });
        waiting.set(timer, milliseconds);
        const cancel = (): void => {
          waiting.delete(timer);
          timer.cancel();
        };
        return { cancel, restart: () => timer.restart() };
      },
    };
    await proxy.stop();
    const shutdown = { unready: '0s', drain: '100s' };
    proxy = await startProxy({ routes: CONFIG.routes.slice(0, 2), server: { shutdown } }, { clock });
    const stream = await follow();
    await stream.next();
    await stream.next();
    // Nothing else waits for so long: a second, or more where a status takes long to make.
    const paces = (): number[] => [...waiting.values()].filter((pace) => pace >= 1_000 && pace < 60_000);
    expect(paces()).not.toEqual([]);
    await proxy.service.stop();
    await stream.ended;
    expect(paces()).toEqual([]);
  });
});

describe('GET /', () => {
  const page = (accept: string): Promise<string> => pageOf(proxy.admin, accept);

  it('is a whole page without scripts, and a few lines for curl', async () => {
    await proxy.request('POST /posts HTTP/1.1', [bearer(proxy.token())]);
    // A page may be as old as it took to make.
    while (!(await page('text/html')).includes('AUTHZ_GROUP_REQUIRED'));
    const html = await page('text/html');
    for (const shown of ['archive.s3.us-east-1', POOL_ID, 'client connections']) {
      expect(html).toContain(shown);
    }
    expect(await page('*/*')).toMatch(/^All well.*\n\nROUTE +HOST +METHODS/);
  });

  it('has nothing in it that is secret, and neither has what it comes with', async () => {
    const texts = [
      await page('text/html'),
      await page('*/*'),
      ...(await Promise.all(
        ['/configuration', '/status/routes', '/routes'].map(async (path) =>
          (await fetch(proxy.admin + path)).text(),
        ),
      )),
    ];
    expect(texts[2]).toContain('secretAccessKey: "[redacted]"');
    for (const text of texts)
      for (const secret of [SECRET, 'AKIDEXAMPLE', 'pass-to-redis']) expect(text).not.toContain(secret);
  });

  it('has the fingerprint of the configuration in force, secrets apart', async () => {
    const fingerprint = async () => /id="fingerprint">([0-9a-f]{12})</.exec(await page('text/html'))?.[1];
    const before = await fingerprint();
    expect(before).toBeDefined();
    await proxy.reload({
      ...CONFIG,
      rateLimits: { ...CONFIG.rateLimits, store: { redis: 'redis://x:other@127.0.0.1:1' } },
    });
    expect(await fingerprint()).toBe(before);
    await proxy.reload({
      ...CONFIG,
      enforce: false,
      routes: CONFIG.routes.slice(0, 2),
      upstreams: { board: {} },
    });
    expect(await fingerprint()).not.toBe(before);
  });
});

describe('POST /explain', () => {
  const config = () =>
    configSchema.parse({
      userPools: { main: { userPoolId: POOL_ID, clientIds: [CLIENT_ID], issuer: proxy.issuer } },
      upstreams: { board: { url: 'http://127.0.0.1:1' } },
      routes: CONFIG.routes.slice(0, 2),
    });

  it('answers what the command answers', async () => {
    const token = proxy.token({ 'cognito:groups': ['readers'] });
    const answer = (await (await explain({ request: 'POST /posts', token })).json()) as object;
    const asked = { method: 'POST', url: '/posts', token, idToken: null, now: Date.now() / 1000 };
    expect(answer).toEqual(JSON.parse(JSON.stringify(explainRequest(config(), asked))));
    expect(answer).toMatchObject({ refusal: { code: 'AUTHZ_GROUP_REQUIRED' } });
    const text = await (await explain({ request: 'POST /posts', token }, 'text/plain')).text();
    expect(text).toContain('condition  - groups anyOf [writers]\noutcome    403 AUTHZ_GROUP_REQUIRED');
  });

  it('knows the rules and nothing else: not whose signature is right, nor who was let in', async () => {
    const genuine = proxy.token({ 'cognito:groups': ['writers'] });
    await proxy.request('POST /posts HTTP/1.1', [bearer(genuine)], 'x');
    const forged = `${genuine.slice(0, genuine.lastIndexOf('.'))}.${'A'.repeat(342)}`;
    const asked = async (token: string) => (await explain({ request: 'POST /posts', token })).json();
    expect(await asked(forged)).toEqual(await asked(genuine));
  });

  it('leaves no trace of the token, in log, metrics or page', async () => {
    const token = proxy.token({ 'cognito:groups': ['writers'], email: 'alice@example.com' });
    for (const body of [
      { request: `POST /posts?t=${token}`, token },
      { request: token, token, idToken: token },
    ]) {
      expect((await explain(body)).status).toBe(200);
    }
    const payload = token.split('.')[1] ?? '';
    for (const text of [
      JSON.stringify(proxy.log),
      await proxy.metrics(),
      await (await fetch(proxy.admin, { headers: { accept: 'text/html' } })).text(),
    ]) {
      expect(text).not.toContain(payload);
      expect(text).not.toContain('alice@example.com');
    }
    expect(proxy.upstream.requests).toEqual([]);
  });

  it('follows a reload', async () => {
    const outcome = async () =>
      ((await (await explain({ request: 'GET /posts' })).json()) as { route: unknown }).route;
    expect(await outcome()).toBeNull();
    await proxy.reload({
      ...CONFIG,
      routes: [
        { id: 'new', match: { path: '/posts' }, allow: 'public', upstream: 'board' },
        ...CONFIG.routes.slice(2),
      ],
    });
    expect(await outcome()).toMatchObject({ id: 'new' });
  });
});

describe('with two workers', () => {
  it('shows what all of them count', async () => {
    const place = await prepareSurroundings();
    place.write('some.yaml', place.complete({ routes: CONFIG.routes.slice(0, 1), server: { workers: 2 } }));
    const program = runServe(place.folder, ['serve', '--config', 'some.yaml']);
    try {
      const served = await followServe(program);
      // Connections are dealt out in turn.
      for (let index = 0; index < 6; index += 1) await served.request('GET /open HTTP/1.1');
      while (!(await pageOf(served.admin)).includes('data-label="in all">6<'));
      expect(await pageOf(served.admin)).toContain('<strong>All well</strong>');
      expect(routeCell(await pageOf(served.admin), 'open', 'p99')).toMatch(/^\d.* m?s$/);
      const stream = await listen(`${served.admin}/events`);
      opened.push(stream);
      await stream.next();
      expect(await served.stop()).toBe(0);
      await stream.ended;
    } finally {
      program.signal('SIGKILL');
      await place.stop();
    }
  });
});
