import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type UpstreamConfig, upstream } from '../../../src/config/schema/upstreams.ts';
import type { Target } from '../../../src/core/upstream.ts';
import { createUpstreamPools, type UpstreamPools } from '../../../src/send/pools.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

const A = 'http://127.0.0.1:4001';
const B = 'http://127.0.0.1:4002';

const settings = (input: object): UpstreamConfig => upstream.parse({ url: A, ...input });
const target = (origin = A): Target => ({
  origin,
  authority: new URL(origin).host,
  basePath: '',
  failures: 0,
  ejectedUntil: 0,
});

let pools: UpstreamPools;

beforeEach(() => {
  pools = createUpstreamPools(createFakeClock());
});
afterEach(() => pools.destroy());

describe('pools', () => {
  it('are made once for each address of each upstream', () => {
    const find = pools.under({ one: settings({ urls: [A, B], url: undefined }), two: settings({}) });
    const [first, second] = [target(A), target(B)];
    expect(find('one', first)).toBe(find('one', first));
    expect(find('one', target(A))).toBe(find('one', first));
    expect(find('one', second)).not.toBe(find('one', first));
    expect(find('two', target(A))).not.toBe(find('one', first));
  });

  it('are refused for an upstream that is not configured', () => {
    expect(() => pools.under({})('missing', target())).toThrow('no upstream missing');
  });

  const CHANGES: readonly [what: string, change: object, kept: boolean][] = [
    ['nothing', {}, true],
    ['retries', { retries: 3 }, true],
    ['host', { host: 'client' }, true],
    ['the time to answer', { timeouts: { response: '1s' } }, true],
    ['the time between bytes', { timeouts: { bodyIdle: '1s' } }, true],
    ['another address beside it', { url: undefined, urls: [B, A] }, true],
    ['the path of the address', { url: `${A}/base` }, true],
    ['the time to connect', { timeouts: { connect: '1s' } }, false],
    ['the time to be kept', { timeouts: { keepAlive: '1s' } }, false],
    ['the authority to trust', { tls: { ca: 'PEM' } }, false],
    ['the name to prove', { tls: { servername: 'board.internal' } }, false],
    ['the address', { url: B }, false],
  ];

  it.each(CHANGES)('are kept or not when a reload changes %s', (_what, change, kept) => {
    const before = pools.under({ one: settings({}) })('one', target());
    const next = { one: settings(change) };
    pools.keepOnly(next);
    expect(before.pool.closed).toBe(!kept);
    if (kept) expect(pools.under(next)('one', target())).toBe(before);
  });

  it('that have been closed are opened again for a request of the old configuration', () => {
    const find = pools.under({ one: settings({}) });
    const one = target();
    const before = find('one', one);
    pools.keepOnly({});
    const again = find('one', one);
    expect(again).not.toBe(before);
    expect([before.pool.closed, again.pool.closed]).toEqual([true, false]);
    // And closed again by the next reload.
    pools.keepOnly({});
    expect(again.pool.closed).toBe(true);
  });

  it('are counted by upstream', () => {
    const find = pools.under({ one: settings({ url: undefined, urls: [A, B] }), two: settings({}) });
    find('one', target(A));
    find('one', target(B));
    find('two', target(A));
    expect(pools.counts()).toEqual(
      new Map([
        ['one', 0],
        ['two', 0],
      ]),
    );
  });

  it('are all closed in the end, those being closed too', () => {
    const find = pools.under({ one: settings({}), two: settings({}) });
    const [one, two] = [find('one', target()), find('two', target())];
    pools.keepOnly({ two: settings({}) });
    pools.destroy();
    expect([one.pool.closed, two.pool.closed]).toEqual([true, true]);
  });
});

describe('the name that an address must prove', () => {
  it.each([
    ['https://board.internal:8443', undefined, 'board.internal'],
    ['https://board.internal', 'other.internal', 'other.internal'],
    ['https://10.0.0.1', undefined, ''],
    ['https://[fd00::1]:8443', undefined, ''],
    ['https://10.0.0.1', 'board.internal', 'board.internal'],
  ])('%s with %s', (url, servername, asked) => {
    const config = settings({ url, tls: servername === undefined ? null : { servername } });
    const connections = pools.under({ one: config })('one', target(url));
    expect(connections.agent === false ? null : connections.agent.options.servername).toBe(asked);
  });

  it('is none without TLS', () => {
    expect(pools.under({ one: settings({}) })('one', target()).agent).toBe(false);
  });
});
