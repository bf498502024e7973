import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { Exchange } from '../../../src/core/exchange.ts';
import type { CorsPolicy, Route } from '../../../src/core/route.ts';
import { answerHeaders, answerTrailers, claimAnswer } from '../../../src/send/answer-headers.ts';
import { readAnswerHead } from '../../../src/send/http/answer-head.ts';

const CORS: CorsPolicy = {
  anyOrigin: true,
  origins: new Set(),
  credentials: false,
  methods: 'GET',
  headers: '',
  exposeHeaders: '',
  maxAge: '300',
};

interface Asked {
  readonly method?: string;
  readonly version?: '1.0' | '1.1';
  readonly cors?: CorsPolicy | null;
}

function exchangeFor({ method = 'GET', version = '1.1', cors = null }: Asked = {}): Exchange {
  const request = new IncomingMessage(new Socket());
  request.method = method;
  request.httpVersionMajor = 1;
  request.httpVersionMinor = version === '1.1' ? 1 : 0;
  const runner = { refuse: () => undefined, retry: () => undefined };
  const exchange = new Exchange(request, new ServerResponse(request), null, 0, false, runner);
  exchange.answerHeaders.push('x-request-id', 'ours');
  exchange.route = { cors } as Route;
  return exchange;
}

const pairsOf = (headers: Record<string, string | string[]>): [string, string][] =>
  Object.entries(headers).flatMap(([name, values]) =>
    [values].flat().map((value): [string, string] => [name, value]),
  );

/** Without our own, which are always there. */
const passed = (asked: Asked, status: number, headers: Record<string, string | string[]>): string[] => {
  const lines = pairsOf(headers).map(([name, value]) => `\r\n${name}: ${value}`);
  const list = answerHeaders(exchangeFor(asked), readAnswerHead(`HTTP/1.1 ${status} OK${lines.join('')}`));
  expect(list.slice(-2)).toEqual(['x-request-id', 'ours']);
  return list.slice(0, -2);
};

describe('answerHeaders', () => {
  it.each<
    [what: string, asked: Asked, status: number, headers: Record<string, string | string[]>, names: string[]]
  >([
    ['ordinary ones', {}, 200, { 'content-type': 'text/plain', etag: '"x"' }, ['content-type', 'etag']],
    [
      'repeated ones, each by itself',
      {},
      200,
      { 'set-cookie': ['a', 'b'], vary: 'x' },
      ['set-cookie', 'set-cookie', 'vary'],
    ],
    [
      'none that belong to the hop',
      {},
      200,
      {
        connection: 'close',
        'keep-alive': 'x',
        te: 'x',
        upgrade: 'x',
        'transfer-encoding': 'chunked',
        'proxy-connection': 'x',
        'proxy-authenticate': 'x',
        a: '1',
      },
      ['a'],
    ],
    [
      'none that Connection names',
      {},
      200,
      { connection: ['X-A', 'x-b , close'], 'x-a': '1', 'x-b': '2', 'x-c': '3' },
      ['x-c'],
    ],
    [
      'none where Connection names nothing',
      {},
      200,
      { connection: 'keep-alive', 'keep-alive-not': '1' },
      ['keep-alive-not'],
    ],
    ['no request id but ours', {}, 200, { 'x-request-id': 'theirs', a: '1' }, ['a']],
    ['the length', {}, 200, { 'content-length': '5' }, ['content-length']],
    ['the length for HEAD', { method: 'HEAD' }, 200, { 'content-length': '5' }, ['content-length']],
    ['the length with 304', {}, 304, { 'content-length': '5' }, ['content-length']],
    ['no length with 204', {}, 204, { 'content-length': '5' }, []],
    ['the announcement of trailers', {}, 200, { trailer: 'x-sum' }, ['trailer']],
    [
      'no announcement beside a length',
      {},
      200,
      { trailer: 'x-sum', 'content-length': '5' },
      ['content-length'],
    ],
    ['no announcement for HEAD', { method: 'HEAD' }, 200, { trailer: 'x-sum' }, []],
    ['no announcement with 204', {}, 204, { trailer: 'x-sum' }, []],
    ['no announcement with 304', {}, 304, { trailer: 'x-sum' }, []],
    ['no announcement for HTTP/1.0', { version: '1.0' }, 200, { trailer: 'x-sum' }, []],
    ['their CORS headers', {}, 200, { 'access-control-allow-origin': '*' }, ['access-control-allow-origin']],
    [
      'their CORS headers, where they answer for it',
      { cors: 'upstream' },
      200,
      { 'access-control-allow-origin': '*' },
      ['access-control-allow-origin'],
    ],
    [
      'none of their CORS headers, where we do',
      { cors: CORS },
      200,
      { 'access-control-allow-origin': '*', 'access-control-max-age': '1', vary: 'origin' },
      ['vary'],
    ],
  ])('hands on %s', (_what, asked, status, headers, names) => {
    const list = passed(asked, status, headers);
    expect(list.filter((_, i) => i % 2 === 0)).toEqual(names);
  });

  it('keeps values as they are', () => {
    expect(passed({}, 200, { 'x-a': 'caf\xe9  au lait', 'x-b': '' })).toEqual([
      'x-a',
      'caf\xe9  au lait',
      'x-b',
      '',
    ]);
  });
});

describe('answerTrailers', () => {
  it('hands on all but those that frame, route or are ours', () => {
    const trailers = pairsOf({
      'x-sum': '1',
      'server-timing': ['a', 'b'],
      'content-length': '5',
      'transfer-encoding': 'gzip',
      host: 'evil',
      trailer: 'x',
      connection: 'close',
      'x-request-id': 'theirs',
      'access-control-allow-origin': '*',
    }).flat();
    const pairs = [
      ['x-sum', '1'],
      ['server-timing', 'a'],
      ['server-timing', 'b'],
    ];
    expect(answerTrailers(exchangeFor({ cors: CORS }), trailers)).toEqual(pairs);
    expect(answerTrailers(exchangeFor(), trailers)).toEqual([...pairs, ['access-control-allow-origin', '*']]);
    expect(answerTrailers(exchangeFor(), [])).toEqual([]);
  });
});

describe('claimAnswer', () => {
  it('puts ours in the place of theirs, and leaves the rest, those of the hop too', () => {
    const exchange = exchangeFor({ cors: CORS });
    exchange.answerHeaders.push('access-control-allow-origin', 'https://app', 'vary', 'Origin');
    const headers = {
      connection: 'Upgrade',
      upgrade: 'websocket',
      vary: 'Accept',
      'x-request-id': 'theirs',
      'access-control-allow-origin': '*',
      'access-control-max-age': '1',
    };
    claimAnswer(exchange, headers);
    expect(headers).toEqual({
      connection: 'Upgrade',
      upgrade: 'websocket',
      vary: 'Accept, Origin',
      'x-request-id': 'ours',
      'access-control-allow-origin': 'https://app',
    });
  });
});
