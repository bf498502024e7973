/**
 * A rule that compares who asks with a part of the path, `allow: { claims: { username: "{username}" } }`, must hold for whatever an
 * upstream may take that part for: a user may be called `bob/`, or `/bob`, or `bob;x`.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { attack, expectRefusal, onlyRequest, SHAPES, untilIdle } from '../support/attack.ts';
import { bearer, type ProxyConfig, type ProxyUnderTest, startProxy } from '../support/proxy.ts';
import { upgradeEcho } from '../support/upstream-answers.ts';

type Match = ProxyConfig['routes'][number]['match'];

const ALL = ['%2F', '%25', '%23', '%3F', ';', '//'] as const;
const own = (id: string, match: Match, stripPrefix?: string): ProxyConfig['routes'][number] => ({
  id,
  match,
  allow: { claims: { username: '{username}' } },
  upstream: 'board',
  ...(stripPrefix === undefined ? {} : { rewrite: { stripPrefix } }),
});

let proxy: ProxyUnderTest;
beforeAll(async () => {
  proxy = await startProxy({
    routes: [
      own('files', { path: '/files/{username}/{key+}', permit: [...ALL] }),
      own('plain', { path: '/plain/{username}/{key+}' }),
      own('home', { path: '/home/{username}', permit: ['%2F', ';'] }),
      own('below-home', { path: '/home/{username}/{key+}' }),
      own('stripped', { path: '/v1/{username}/{key+}', permit: [...ALL] }, '/v1'),
      own('above', { path: '/of/{kind}/{username}/x', permit: ['%2F', '//'] }),
    ],
  });
});
afterAll(async () => {
  await untilIdle(proxy);
  await proxy.stop();
});

describe.each(SHAPES)('as %s', (shape) => {
  beforeEach(() => {
    proxy.upstream.forget();
    if (shape === 'upgrade') proxy.upstream.on('*', upgradeEcho());
  });
  const ask = (username: string, target: string) =>
    attack(proxy, shape, target, [bearer(proxy.token({ username }))]);

  // Each is the path of who asks, as it is written, and of bob to some upstream.
  it.each([
    ['/bob', '/files/%2Fbob/a'],
    ['bob/', '/files/bob%2F/a'],
    ['bob/x', '/files/bob%2Fx/a'],
    ['bob;x', '/files/bob;x/a'],
    ['bob;x', '/files/bob%3Bx/a'],
    ['bob#', '/files/bob%23/a'],
    ['bob#x', '/files/bob%23x/a'],
    ['bob?x', '/files/bob%3Fx/a'],
    ['bob%2Fx', '/files/bob%252Fx/a'],
    ['bob%3Bx', '/files/bob%253Bx/a'],
    ['bob%23', '/files/bob%2523/a'],
    ['%62ob', '/files/%2562ob/a'],
    [';x/bob', '/files/;x%2Fbob/a'],
    ['bob.', '/files/bob./a'],
    ['bob.', '/plain/bob./a'],
    ['bob. .', '/plain/bob.%20./a'],
    ['bob/x', '/home/bob%2Fx'],
    ['bob;x', '/home/bob;x'],
    ['/x', '/v1/%2Fx/bob/a'],
    ['x/bob', '/v1/x%2Fbob/a'],
    ['mallory', '/of/a%2Fbob/mallory/x'],
  ])('the user %j does not have %j', async (username, target) => {
    expectRefusal(await ask(username, target), 400, 'Bad Request', 'REQUEST_PATH_AMBIGUOUS');
  });

  it.each([
    ['bob', '/files/bob/a'],
    ['bob', '/files/bob/a%2Fb'],
    ['bob', '/files/bob/%2Fa'],
    ['bob', '/files/bob/a%2F'],
    ['bob', '/files/bob/a//b'],
    ['bob', '/files/bob/a;b'],
    ['bob', '/files/bob/a%23b'],
    ['bob', '/files/bob/%23a'],
    ['bob', '/files/bob/what%3F'],
    ['bob', '/files/bob/100%25'],
    ['bob', '/files/bob/a%252Fb'],
    ['bob', '/plain/bob/a./b%20/'],
    ['Bob', '/files/Bob/A%2FB'],
    ['Bob', '/plain/Bob/Report.PDF'],
    ['bob smith', '/plain/bob%20smith/a'],
    ['b\u00f3b@example.com', '/plain/b%C3%B3b@example.com/a'],
    ['100%', '/files/100%25/a'],
    ['bob', '/home/bob'],
    ['Bob', '/home/Bob'],
  ])('the user %j has %j', async (username, target) => {
    expect(onlyRequest(await ask(username, target)).target).toBe(target);
  });

  it.each([
    ['alice', '/files/bob/a'],
    ['alice', '/plain/bob/a'],
    // Names are compared as they are written; what an upstream makes of case is for it to say.
    ['Bob', '/plain/bob/a'],
    ['bob', '/plain/Bob/a'],
  ])('the user %j is refused %j', async (username, target) => {
    expectRefusal(await ask(username, target), 403, 'Forbidden', 'AUTHZ_CLAIM_REQUIRED');
  });
});
