import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { Exchange } from '../../../src/core/exchange.ts';
import type { Inbound } from '../../../src/core/inbound.ts';
import type { OutboundRequest } from '../../../src/core/outbound.ts';
import { acceptBearerProtocol, upgradeRequest } from '../../../src/send/upgrade-request.ts';

function exchangeFor(inbound: readonly string[], outbound: readonly string[]): Exchange {
  const request = new IncomingMessage(new Socket());
  const runner = { refuse: () => undefined, retry: () => undefined };
  const exchange = new Exchange(request, new ServerResponse(request), null, 0, false, runner);
  exchange.inbound = { headers: [...inbound] } as unknown as Inbound;
  exchange.outbound = { method: 'GET', path: '/judged?x', headers: [...outbound] } as OutboundRequest;
  return exchange;
}

describe('upgradeRequest', () => {
  it('is made of the prepared request alone, repeated headers joined', () => {
    const outbound = [
      'host',
      'board',
      'x-a',
      '1',
      'cookie',
      'a=1',
      'x-a',
      '2',
      'cookie',
      'b=2',
      '__proto__',
      'x',
    ];
    const exchange = exchangeFor(['x-client', 'only'], outbound);
    const socket = new Socket();
    const request = upgradeRequest(exchange, socket);
    expect([request.method, request.url, request.socket]).toEqual(['GET', '/', socket]);
    expect(Object.entries(request.headers)).toEqual([
      ['host', 'board'],
      ['x-a', '1, 2'],
      ['cookie', 'a=1; b=2'],
      ['__proto__', 'x'],
      ['connection', 'Upgrade'],
      ['upgrade', 'websocket'],
    ]);
  });
});

describe('acceptBearerProtocol', () => {
  const NAME = 'sec-websocket-protocol';

  it.each<
    [
      what: string,
      offered: string | null,
      sent: string | null,
      chosen: string | undefined,
      answered: string | undefined,
    ]
  >([
    ['it carried the token, and nothing else is offered', 'bearer, abc', null, undefined, 'bearer'],
    ['it carried the token, and nothing else is chosen', 'bearer, abc, chat', 'chat', undefined, 'bearer'],
    ['it came last', 'chat,bearer,abc', 'chat', undefined, 'bearer'],
    ['something else is chosen', 'bearer, abc, chat', 'chat', 'chat', 'chat'],
    ['the token is forwarded', 'bearer, abc', 'bearer, abc', undefined, undefined],
    ['nothing is offered', null, null, undefined, undefined],
    ['it is part of another name', 'bearer-token, x-bearer', null, undefined, undefined],
  ])('where %s', (_what, offered, sent, chosen, answered) => {
    const headers = (value: string | null): string[] => (value === null ? [] : ['x-first', '1', NAME, value]);
    const answer: Record<string, string> = chosen === undefined ? {} : { [NAME]: chosen };
    acceptBearerProtocol(exchangeFor(headers(offered), headers(sent)), answer);
    expect(answer[NAME]).toBe(answered);
  });
});
