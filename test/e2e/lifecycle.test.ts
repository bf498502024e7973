import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts';
import { OPEN_ROUTE } from '../support/open-route.ts';
import { type ProxyUnderTest, startProxy } from '../support/proxy.ts';
import { openRaw } from '../support/raw-http.ts';
import { runOut } from '../support/run-out.ts';
import { answer, chunk, held, script } from '../support/upstream-answers.ts';

const UNREADY = 5_000;
const DRAIN = 20_000;

let clock: FakeClock;
let proxy: ProxyUnderTest;

beforeEach(async () => {
  clock = createFakeClock(Date.now());
  proxy = await startProxy(
    { server: { shutdown: { unready: '5s', drain: '20s' } }, routes: [OPEN_ROUTE] },
    { clock },
  );
});
afterEach(() => runOut(clock, proxy.stop()));

const statusOf = async (path: string): Promise<number> => (await fetch(proxy.admin + path)).status;

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;

/** Whether the promise is settled once everything at hand has been done. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  void promise.then(() => {
    settled = true;
  });
  for (let i = 0; i < 10; i++) await setImmediate();
  return settled;
}

describe('a service that is told to stop', () => {
  it('is unready at once, and alive', async () => {
    expect([await statusOf('/readyz'), await statusOf('/livez')]).toEqual([200, 200]);
    const stopped = proxy.service.stop();
    expect([await statusOf('/readyz'), await statusOf('/livez')]).toEqual([503, 200]);
    await runOut(clock, stopped);
  });

  it('still accepts for a while, asking each client to go with its answer', async () => {
    const kept = await openRaw(proxy.origin);
    kept.send(get('/before'));
    expect((await kept.response()).header('connection')).toBe('keep-alive');
    const stopped = proxy.service.stop();
    clock.advance(UNREADY - 1);

    kept.send(get('/meanwhile'));
    const last = await kept.response();
    expect([last.status, last.header('connection'), await kept.closed]).toEqual([200, 'close', 'end']);
    const fresh = await proxy.request('POST /new HTTP/1.1', [], 'body');
    expect([fresh.status, fresh.header('connection')]).toEqual([200, 'close']);
    await runOut(clock, stopped);
  });

  it('asks the clients of requests under way to go as well', async () => {
    const slow = held();
    proxy.upstream.on('/slow', slow);
    const connection = await openRaw(proxy.origin);
    connection.send(get('/slow'));
    await slow.arrived;
    const stopped = proxy.service.stop();
    slow.release();
    const got = await connection.response();
    expect([got.text, got.header('connection'), await connection.closed]).toEqual(['ok', 'close', 'end']);
    await runOut(clock, stopped);
  });

  it('answers what was sent ahead before it lets the client go', async () => {
    const slow = held();
    proxy.upstream.on('/slow', slow);
    const connection = await openRaw(proxy.origin);
    connection.send(get('/slow') + get('/ahead') + get('/last'));
    await slow.arrived;
    const stopped = proxy.service.stop();
    slow.release();
    const closings = [];
    for (let i = 0; i < 3; i++) closings.push((await connection.response()).header('connection'));
    expect(closings).toEqual(['keep-alive', 'keep-alive', 'close']);
    await runOut(clock, stopped);
  });

  it('then accepts no more, and closes what waits for nothing', async () => {
    const idle = await openRaw(proxy.origin);
    idle.send(get('/before'));
    await idle.response();
    const slow = held();
    proxy.upstream.on('/slow', slow);
    const busy = await openRaw(proxy.origin);
    busy.send(get('/slow'));
    await slow.arrived;

    const stopped = proxy.service.stop();
    clock.advance(UNREADY);
    expect(await idle.closed).toBe('end');
    await expect(openRaw(proxy.origin)).rejects.toThrow('ECONNREFUSED');
    expect(await isSettled(stopped)).toBe(false);

    slow.release();
    expect((await busy.response()).text).toBe('ok');
    // Nothing is left to wait for: the rest of the time is not used.
    await stopped;
  });

  it('lets answers under way come to their end', async () => {
    const going = Promise.withResolvers<(text: string) => Promise<void>>();
    proxy.upstream.on(
      '/stream',
      script(async ({ write }) => {
        await write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
        going.resolve(write);
      }),
    );
    const connection = await openRaw(proxy.origin);
    connection.send(get('/stream'));
    await connection.head();
    const write = await going.promise;
    const stopped = proxy.service.stop();
    clock.advance(UNREADY);
    clock.advance(DRAIN / 2);
    await write(`${chunk('the end')}0\r\n\r\n`);
    expect((await connection.takeUntil('0\r\n\r\n')).toString()).toBe(`${chunk('the end')}0\r\n\r\n`);
    connection.close();
    await stopped;
  });

  it('cuts what is left when the time is over, and the upstream with it', async () => {
    const hung = held();
    proxy.upstream.on('/hung', hung);
    const connection = await openRaw(proxy.origin);
    connection.send(get('/hung'));
    const { connection: number } = await hung.arrived;
    const silent = await openRaw(proxy.origin);
    const stopped = proxy.service.stop();
    clock.advance(UNREADY);
    await setImmediate();
    clock.advance(DRAIN - 1);
    expect(await isSettled(stopped)).toBe(false);
    clock.advance(1);
    await stopped;
    await Promise.all([connection.closed, silent.closed, proxy.upstream.closed(number)]);
    expect(proxy.log.find((line) => line['path'] === '/hung')).toMatchObject({ status: 499 });
    hung.release();
  });

  it('leaves no connection to an upstream behind', async () => {
    for (let i = 0; i < 3; i++) await proxy.request(`GET /${i} HTTP/1.1`);
    const { connection } = await proxy.upstream.request(0);
    await runOut(clock, proxy.service.stop());
    expect(await proxy.upstream.closed(connection)).toMatch(/end|reset/);
  });

  it('may be told twice', async () => {
    const slow = held(answer(200, 'once'));
    proxy.upstream.on('/slow', slow);
    const connection = await openRaw(proxy.origin);
    connection.send(get('/slow'));
    await slow.arrived;
    const first = proxy.service.stop();
    const second = proxy.service.stop();
    clock.advance(UNREADY);
    slow.release();
    expect((await connection.response()).text).toBe('once');
    await Promise.all([first, second]);
  });
});
