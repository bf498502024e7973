/**
 * A tunnel is opened by 101 alone: CVE-2024-23326 (Envoy) took any 200 for an upgrade, and what the client sent next went
 * unjudged to the upstream. What a client sends ahead of the answer must not go there either.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { untilIdle } from '../support/attack.ts';
import { bearer, type ProxyUnderTest, startProxy } from '../support/proxy.ts';
import { openRaw } from '../support/raw-http.ts';
import { answer, held, raw, upgradeEcho } from '../support/upstream-answers.ts';

let proxy: ProxyUnderTest;

beforeAll(async () => {
  proxy = await startProxy({
    routes: [
      { id: 'socket', match: { path: '/ws' }, allow: 'authenticated', upstream: 'board' },
      { id: 'admin', match: { path: '/admin' }, allow: { groups: ['admins'] }, upstream: 'board' },
    ],
  });
});
afterEach(async () => {
  await untilIdle(proxy);
  proxy.upstream.forget();
});
afterAll(() => proxy.stop());

const SMUGGLED = 'GET /admin HTTP/1.1\r\nHost: x\r\nX-Cognito-Groups: admins\r\n\r\n';

const upgrade = (lines: readonly string[]): string =>
  ['GET /ws HTTP/1.1', 'Host: x', 'Connection: Upgrade', 'Upgrade: websocket', ...lines, '', ''].join('\r\n');

/** Everything the upstream has been sent. */
function sentUpstream(): string {
  let bytes = '';
  for (let i = 1; i <= proxy.upstream.connections; i++) bytes += proxy.upstream.bytes(i).toString('latin1');
  return bytes;
}

describe('what follows an upgrade', () => {
  it.each([
    ['200', answer(200, 'ok')],
    ['200 with Upgrade', answer(200, 'ok', ['Connection: Upgrade', 'Upgrade: websocket'])],
    ['204', raw('HTTP/1.1 204 No Content\r\n\r\n')],
    ['400', answer(400, 'no')],
    ['426', answer(426, 'no', ['Upgrade: websocket'])],
    ['101 without Upgrade', raw('HTTP/1.1 101 Switching Protocols\r\n\r\n')],
  ])('does not reach an upstream that answers %s', async (_, reply) => {
    proxy.upstream.on('/ws', reply);
    const connection = await openRaw(proxy.origin);
    connection.send(upgrade([bearer(proxy.token())]) + SMUGGLED);
    const head = await connection.head();
    expect(head.status).not.toBe(101);
    connection.send(SMUGGLED);
    await connection.closed;
    connection.close();
    await untilIdle(proxy);
    expect(proxy.upstream.requests.map(({ requestLine }) => requestLine)).toEqual(['GET /ws HTTP/1.1']);
    expect(sentUpstream()).not.toContain('/admin');
  });

  it.each([
    ['no token', []],
    ['a bad token', ['Authorization: Bearer x']],
  ])('does not reach the upstream with %s', async (_, lines) => {
    const { connections } = proxy.upstream;
    const connection = await openRaw(proxy.origin);
    connection.send(upgrade(lines) + SMUGGLED);
    expect((await connection.response()).status).toBe(401);
    connection.send(SMUGGLED);
    await connection.closed;
    connection.close();
    expect(proxy.upstream.connections).toBe(connections);
  });

  it('waits for the upstream to switch, and then arrives as it was sent', async () => {
    const slow = held(upgradeEcho());
    proxy.upstream.on('/ws', slow);
    const connection = await openRaw(proxy.origin);
    connection.send(`${upgrade([bearer(proxy.token())])}early`);
    const { connection: number } = await slow.arrived;
    connection.send(' later');
    expect(proxy.upstream.bytes(number).toString('latin1')).not.toMatch(/early|later/);
    slow.release();
    expect((await connection.head()).status).toBe(101);
    expect((await connection.take(11)).toString()).toBe('early later');
    connection.close();
  });
});
