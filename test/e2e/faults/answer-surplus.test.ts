/**
 * A connection to an upstream serves one request after another, of different callers. Whatever an upstream sends beyond an
 * answer must not be taken for the next one's: every answer here carries the target it is for.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { echoTarget, ownAnswer } from '../../support/echo-upstream.ts';
import { OPEN_ROUTE } from '../../support/open-route.ts';
import { type ProxyUnderTest, startProxy } from '../../support/proxy.ts';
import { openRaw } from '../../support/raw-http.ts';
import { type Answer, answer, chunk, script } from '../../support/upstream-answers.ts';

let proxy: ProxyUnderTest;

beforeAll(async () => {
  proxy = await startProxy({
    upstreams: { board: { retries: 1, timeouts: { keepAlive: '60s' } } },
    routes: [OPEN_ROUTE],
  });
});
afterAll(() => proxy.stop());
beforeEach(() => {
  proxy.upstream.forget();
  proxy.upstream.on('*', echoTarget());
});

const OK = 'HTTP/1.1 200 OK\r\n';
const SMUGGLED = ownAnswer('/smuggled');

/** Each of some callers, one after another and then all at once, has the answer that is for them. */
async function expectOwnAnswers(): Promise<void> {
  const ask = async (target: string): Promise<void> => {
    expect((await proxy.request(`GET ${target} HTTP/1.1`)).text).toBe(target);
  };
  for (let i = 0; i < 4; i++) await ask(`/after/${i}`);
  await Promise.all(Array.from({ length: 8 }, (_, i) => ask(`/beside/${i}`)));
}

/** What an upstream sends beyond what it was asked for. */
const SURPLUS: readonly [what: string, bytes: string][] = [
  ['a whole answer', SMUGGLED],
  ['two whole answers', SMUGGLED + SMUGGLED],
  ['half an answer', SMUGGLED.slice(0, 30)],
  ['an interim answer', 'HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n'],
  ['a switch of protocols', 'HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'],
  ['an empty line', '\r\n'],
  ['a byte', 'x'],
  ['a NUL', '\0'],
  ['a hundred kilobytes', 'x'.repeat(100_000)],
];

const ENDS: readonly [what: string, method: string, bytes: string, text: string][] = [
  ['an answer with a length', 'GET', `${OK}Content-Length: 2\r\n\r\nok`, 'ok'],
  ['an answer with a length of nothing', 'GET', `${OK}Content-Length: 0\r\n\r\n`, ''],
  ['an answer in chunks', 'GET', `${OK}Transfer-Encoding: chunked\r\n\r\n${chunk('ok')}0\r\n\r\n`, 'ok'],
  [
    'an answer with trailers',
    'GET',
    `${OK}Transfer-Encoding: chunked\r\n\r\n${chunk('ok')}0\r\nX-A: b\r\n\r\n`,
    'ok',
  ],
  ['an answer to HEAD', 'HEAD', `${OK}Content-Length: 2\r\n\r\n`, ''],
  ['an answer to HEAD in chunks', 'HEAD', `${OK}Transfer-Encoding: chunked\r\n\r\n`, ''],
  ['204', 'GET', 'HTTP/1.1 204 None\r\n\r\n', ''],
  ['204 with a length', 'GET', 'HTTP/1.1 204 None\r\nContent-Length: 2\r\n\r\n', ''],
  ['304', 'GET', 'HTTP/1.1 304 Same\r\n\r\n', ''],
  ['304 with a length', 'GET', 'HTTP/1.1 304 Same\r\nContent-Length: 2\r\n\r\n', ''],
  ['an answer to POST', 'POST', `${OK}Content-Length: 2\r\n\r\nok`, 'ok'],
  ['an answer to DELETE', 'DELETE', `${OK}Content-Length: 2\r\n\r\nok`, 'ok'],
];

const body = (method: string): string => (method === 'POST' ? 'body' : '');

describe.each(ENDS)('after %s', (_end, method, bytes, text) => {
  it.each(SURPLUS)('%s in the same packet is nobody’s', async (_what, surplus) => {
    proxy.upstream.on(
      '/more',
      script(({ write }) => write(bytes + surplus)),
    );
    const got = await proxy.request(`${method} /more HTTP/1.1`, [], body(method));
    // A reader that looks at all of it before it hands anything on may refuse it.
    if (got.status === 502) expect(got.json()).toMatchObject({ code: 'UPSTREAM_RESPONSE_INVALID' });
    else expect([got.text, got.interim]).toEqual([text, []]);
    await expectOwnAnswers();
  });

  it.each(SURPLUS)('%s that comes later ends the connection', async (_what, surplus) => {
    const later = Promise.withResolvers<void>();
    proxy.upstream.on(
      '/more',
      script(async ({ write }) => {
        await write(bytes);
        await later.promise;
        await write(surplus);
      }),
    );
    const got = await proxy.request(`${method} /more HTTP/1.1`, [], body(method));
    expect([got.text, got.interim]).toEqual([text, []]);
    const { connection } = await proxy.upstream.request(0);
    later.resolve();
    // An empty line before an answer is allowed (RFC 9112 section 2.2), and then the connection may stay.
    if (surplus !== '\r\n') await proxy.upstream.closed(connection);
    await expectOwnAnswers();
    if (surplus !== '\r\n') {
      const used = proxy.upstream.requests.filter((seen) => seen.connection === connection);
      expect(used.map(({ target }) => target)).toEqual(['/more']);
    }
  });
});

describe('what a connection has left over', () => {
  it('is not given to whoever comes first, wherever the packets are cut', async () => {
    const whole = `${OK}Content-Length: 2\r\n\r\nok${SMUGGLED}`;
    const end = whole.length - SMUGGLED.length;
    // Not at the end itself: bytes that come after the next request was sent are that one's answer, as far as anyone can see.
    for (const at of [1, end - 1, end + 1, end + 9, end + 20, whole.length - 1]) {
      proxy.upstream.on('/cut', inPieces([whole.slice(0, at), whole.slice(at)]));
      expect((await proxy.request('GET /cut HTTP/1.1')).text).toBe('ok');
      await expectOwnAnswers();
    }
  });

  it('by a body that HEAD, 204 and 304 must not have, is not read as an answer', async () => {
    const answers: readonly [method: string, head: string][] = [
      ['HEAD', OK],
      ['GET', 'HTTP/1.1 204 None\r\n'],
      ['GET', 'HTTP/1.1 304 Same\r\n'],
    ];
    for (const [method, head] of answers) {
      const bytes = `${head}Content-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`;
      proxy.upstream.on(
        '/bodiless',
        script(({ write }) => write(bytes)),
      );
      expect((await proxy.request(`${method} /bodiless HTTP/1.1`)).text).toBe('');
      await expectOwnAnswers();
    }
  });

  it('by a client that left in the middle of its answer is not read as the next one', async () => {
    for (const framing of ['Content-Length: 1000', 'Transfer-Encoding: chunked']) {
      const gone = Promise.withResolvers<void>();
      proxy.upstream.on(
        '/left',
        script(async ({ write, socket }) => {
          await write(`${OK}${framing}\r\n\r\n${framing.startsWith('T') ? chunk('half') : 'half'}`);
          await gone.promise;
          if (!socket.destroyed) await write(SMUGGLED);
        }),
      );
      const leaving = await openRaw(proxy.origin);
      leaving.send('GET /left HTTP/1.1\r\nHost: a\r\n\r\n');
      await leaving.takeUntil('half');
      const before = proxy.upstream.requests.length;
      const { connection } = await proxy.upstream.request(before - 1);
      leaving.reset();
      await proxy.upstream.closed(connection);
      gone.resolve();
      await expectOwnAnswers();
    }
  });

  it('by a request that was given up is not read as the next one’s answer', async () => {
    const gone = Promise.withResolvers<void>();
    proxy.upstream.on(
      '/late',
      script(async ({ write, socket }) => {
        await gone.promise;
        if (!socket.destroyed) await write(SMUGGLED);
      }),
    );
    const leaving = await openRaw(proxy.origin);
    leaving.send('GET /late HTTP/1.1\r\nHost: a\r\n\r\n');
    const { connection } = await proxy.upstream.request(0);
    leaving.reset();
    await proxy.upstream.closed(connection);
    gone.resolve();
    await expectOwnAnswers();
  });
});

describe('a connection that the upstream ends between two requests', () => {
  const GOING: readonly [what: string, go: (context: Parameters<Answer['run']>[0]) => void][] = [
    ['in good order', ({ socket }) => void socket.end()],
    ['with a reset', ({ socket }) => void socket.resetAndDestroy()],
  ];

  it.each(GOING)('while it is idle, %s, costs no request', async (_what, go) => {
    const left = Promise.withResolvers<void>();
    proxy.upstream.on(
      '/first',
      script(async (context) => {
        await answer(200, '/first').run(context);
        await left.promise;
        go(context);
      }),
    );
    expect((await proxy.request('GET /first HTTP/1.1')).text).toBe('/first');
    const { connection } = await proxy.upstream.request(0);
    left.resolve();
    await proxy.upstream.closed(connection);
    // Not even one that must not be sent twice.
    const got = await proxy.request('POST /second HTTP/1.1', [], 'body');
    expect([got.status, got.text]).toEqual([200, '/second']);
  });

  it.each([
    ['GET', '', 200, 2],
    ['HEAD', '', 200, 2],
    ['DELETE', '', 200, 2],
    ['POST', '', 502, 1],
    ['PATCH', '', 502, 1],
    ['PUT', 'body', 502, 1],
    ['POST', 'body', 502, 1],
  ])(
    'as the next one arrives: %s with the body "%s" is answered %i, and was sent %i times',
    async (method, sent, status, times) => {
      for (const [, go] of GOING) {
        proxy.upstream.forget();
        let seen = 0;
        proxy.upstream.on('/warm', echoTarget());
        proxy.upstream.on(
          '/racing',
          script((context) => (++seen === 1 ? go(context) : echoTarget().run(context))),
        );
        expect((await proxy.request('GET /warm HTTP/1.1')).text).toBe('/warm');
        const got = await proxy.request(`${method} /racing HTTP/1.1`, [], sent);
        expect(got.status).toBe(status);
        if (status === 200 && method !== 'HEAD') expect(got.text).toBe('/racing');
        const racing = proxy.upstream.requests.filter(({ target }) => target === '/racing');
        expect(racing.map((request) => request.body.toString())).toEqual(Array(times).fill(sent));
        expect(new Set(racing.map((request) => request.connection)).size).toBe(times);
      }
    },
  );

  it('in the middle of an answer’s header section: sent again where that does no harm, and never mixed', async () => {
    for (const part of ['H', 'HTTP/1.1 20', `${OK}Content-Le`, `${OK}Content-Length: 9\r\n`]) {
      let seen = 0;
      proxy.upstream.on(
        '/part',
        script(async (context) => {
          if (++seen > 1) return echoTarget().run(context);
          await context.write(part);
          context.socket.end();
        }),
      );
      const got = await proxy.request('GET /part HTTP/1.1');
      expect([got.status, got.status === 200 ? got.text : '']).toEqual(
        got.status === 200 ? [200, '/part'] : [502, ''],
      );
      expect(seen).toBe(got.status === 200 ? 2 : 1);
      await expectOwnAnswers();
    }
  });
});

/** Writes each piece by itself, with turns of the loop between them so that they arrive by themselves. */
function inPieces(pieces: readonly string[]): Answer {
  return script(async ({ write }) => {
    for (const piece of pieces) {
      await write(piece);
      for (let turns = 0; turns < 5; turns++) await new Promise((resolve) => setImmediate(resolve));
    }
  });
}
