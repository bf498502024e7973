import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type KeyServer, startKeyServer } from '../../support/key-server.ts';
import { openRaw, requestBytes } from '../../support/raw-http.ts';
import { keySet, makeKey } from '../../support/token-factory.ts';

const key = makeKey('one', 1024);
let server: KeyServer;

beforeEach(async () => {
  server = await startKeyServer();
});
afterEach(() => server.stop());

const keysOf = (userPoolId: string): string => `${server.issuer(userPoolId)}/.well-known/jwks.json`;

describe('startKeyServer', () => {
  it('publishes per pool, and for all others', async () => {
    server.publish([key], 'a_1');
    server.publishDocument({ keys: 'odd' });
    expect(await (await fetch(keysOf('a_1'))).json()).toEqual(keySet(key));
    expect(await (await fetch(keysOf('b_2'))).json()).toEqual({ keys: 'odd' });
    expect((await fetch(server.origin)).status).toBe(404);
    expect(server.paths).toEqual(['/a_1/.well-known/jwks.json', '/b_2/.well-known/jwks.json', '/']);
    expect(server.requests).toBe(3);
  });

  it('holds answers until they are released', async () => {
    server.publish([key]);
    server.behave('held');
    const answer = fetch(keysOf('a_1'));
    await server.requested(1);
    server.release();
    expect(await (await answer).json()).toEqual(keySet(key));
  });

  it.each([
    ['garbage', 200],
    ['redirect', 302],
    ['error', 500],
    ['forbidden', 403],
  ] as const)('answers %s with %i and no keys', async (mood, status) => {
    server.publish([key]);
    server.behave(mood);
    const answer = await fetch(keysOf('a_1'), { redirect: 'manual' });
    expect(answer.status).toBe(status);
    expect(await answer.text()).not.toContain('kty');
  });

  it('redirects to the good keys, so that following is noticed', async () => {
    server.publish([key]);
    server.behave('redirect');
    expect(await (await fetch(keysOf('a_1'))).json()).toEqual(keySet(key));
  });

  it('resets the connection', async () => {
    server.behave('reset');
    const connection = await openRaw(server.origin);
    connection.send(requestBytes('GET /a_1/.well-known/jwks.json HTTP/1.1', ['Host: x']));
    expect(await connection.closed).toBe('reset');
  });

  it('drips without end', async () => {
    server.behave('drip');
    const answer = await fetch(keysOf('a_1'));
    const reader = answer.body?.getReader();
    for (let i = 0; i < 3; i++) expect((await reader?.read())?.done).toBe(false);
    await reader?.cancel();
  });

  it('pours until the reader has enough, and counts what it poured', async () => {
    server.behave('huge');
    const answer = await fetch(keysOf('a_1'));
    const reader = answer.body?.getReader();
    for (let read = 0; read < 1_000_000; ) read += (await reader?.read())?.value?.length ?? 0;
    await reader?.cancel();
    expect(server.bytesSent).toBeGreaterThan(1_000_000);
  });

  it('goes down and comes up on the same port', async () => {
    server.publish([key]);
    await server.down();
    await expect(openRaw(server.origin)).rejects.toThrow('ECONNREFUSED');
    await server.up();
    expect((await fetch(keysOf('a_1'))).status).toBe(200);
  });
});
