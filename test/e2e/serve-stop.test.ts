import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ProxyConfig } from '../support/proxy.ts';
import { openRaw, requestBytes } from '../support/raw-http.ts';
import {
  followServe,
  prepareSurroundings,
  runServe,
  SERVE_ENTRY,
  type Served,
  type Surroundings,
} from '../support/served.ts';
import { held, script, upgradeEcho } from '../support/upstream-answers.ts';

// Every test starts processes of its own, on machines that may have little to give.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const ROUTES: ProxyConfig = {
  routes: [{ id: 'all', match: { path: '/{proxy+}' }, allow: 'public', upstream: 'board' }],
};

let place: Surroundings;
let served: Served;

beforeEach(async () => {
  place = await prepareSurroundings();
});
afterEach(async () => {
  served.program.signal('SIGKILL');
  await served.program.exited;
  await place.stop();
});

async function serve(shutdown: { unready: string; drain: string }): Promise<Served> {
  const file = place.write('some.yaml', place.complete({ ...ROUTES, server: { shutdown } }));
  served = await followServe(runServe(place.folder, ['serve', '--config', file]));
  return served;
}

describe('SIGTERM', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    '%s under load loses no accepted request, and exits 0',
    async (signal) => {
      const { program, proxy, logged } = await serve({ unready: '300ms', drain: '10s' });
      // Slow enough for some to be under way at every moment.
      place.upstream.on(
        '*',
        script(async ({ write }) => {
          await new Promise((resolve) => setTimeout(resolve, 5));
          await write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
        }),
      );
      const clients = [keepAliveClient, keepAliveClient, oneShotClient, oneShotClient].map((run) =>
        run(proxy),
      );
      while (place.upstream.requests.length < 200)
        await place.upstream.request(place.upstream.requests.length);
      program.signal(signal);
      await logged('stopping');
      const tallies = await Promise.all(clients);
      expect(await program.exited).toEqual({ code: 0, signal: null });
      const complete = tallies.reduce((sum, tally) => sum + tally.complete, 0);
      expect(tallies.map((tally) => tally.broken)).toEqual([0, 0, 0, 0]);
      expect(complete).toBe(place.upstream.requests.length);
      expect(program.complaints).toBe('');
    },
  );

  it('makes it unready at once, while requests are still accepted, asked to close, and then finished', async () => {
    const { program, proxy, admin, logged, request } = await serve({ unready: '2s', drain: '10s' });
    const slow = held();
    place.upstream.on('/slow', slow);
    const underWay = await openRaw(proxy);
    underWay.send(requestBytes('GET /slow HTTP/1.1', ['Host: a']));
    await slow.arrived;

    program.signal('SIGTERM');
    await logged('stopping');
    expect((await fetch(`${admin}/readyz`)).status).toBe(503);
    expect((await fetch(`${admin}/livez`)).status).toBe(200);
    const late = await request('GET /late HTTP/1.1');
    expect([late.status, late.header('connection')]).toEqual([200, 'close']);

    await untilRefused(proxy);
    slow.release();
    expect((await underWay.response()).text).toBe('ok');
    expect(await program.exited).toEqual({ code: 0, signal: null });
  });

  it('cuts what is not done when the drain is over, and still exits 0', async () => {
    const { program, proxy, logged } = await serve({ unready: '0s', drain: '300ms' });
    const slow = held();
    place.upstream.on('/slow', slow);
    const underWay = await openRaw(proxy);
    underWay.send(requestBytes('GET /slow HTTP/1.1', ['Host: a']));
    await slow.arrived;
    program.signal('SIGTERM');
    await logged('stopping');
    await expect(underWay.response()).rejects.toThrow('the connection closed after ""');
    expect(await program.exited).toEqual({ code: 0, signal: null });
    slow.release();
  });

  it('ends idle connections and WebSockets, which are told that the server goes away', async () => {
    const { program, proxy } = await serve({ unready: '0s', drain: '10s' });
    place.upstream.on('/ws', upgradeEcho());
    const idle = await openRaw(proxy);
    idle.send(requestBytes('GET /once HTTP/1.1', ['Host: a']));
    await idle.response();
    const socket = await openRaw(proxy);
    socket.send(
      requestBytes('GET /ws HTTP/1.1', [
        'Host: a',
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      ]),
    );
    expect((await socket.response()).status).toBe(101);

    program.signal('SIGTERM');
    await idle.closed;
    // An unmasked close frame with the status 1001 (RFC 6455 section 7.4.1).
    const frame = await socket.rest();
    expect(frame.subarray(0, 4)).toEqual(Buffer.from([0x88, 2 + 'going away'.length, 0x03, 0xe9]));
    expect(await program.exited).toEqual({ code: 0, signal: null });
  });

  it('a second one ends it at once, with exit code 1', async () => {
    const { program, proxy, logged } = await serve({ unready: '60s', drain: '60s' });
    const slow = held();
    place.upstream.on('/slow', slow);
    const underWay = await openRaw(proxy);
    underWay.send(requestBytes('GET /slow HTTP/1.1', ['Host: a']));
    await slow.arrived;
    program.signal('SIGTERM');
    await logged('stopping');
    program.signal('SIGTERM');
    expect(await program.exited).toEqual({ code: 1, signal: null });
    expect(program.complaints).toBe('second SIGTERM, exiting\n');
    slow.release();
  });

  it('a Ctrl-C that npm hands on beside the terminal is one, and another one after it ends it at once', async () => {
    const once = await serve({ unready: '500ms', drain: '1s' });
    once.program.signal('SIGINT');
    once.program.signal('SIGINT');
    await once.logged('stopping');
    once.program.signal('SIGINT');
    expect(await once.program.exited).toEqual({ code: 0, signal: null });

    const { program, logged } = await serve({ unready: '60s', drain: '60s' });
    program.signal('SIGINT');
    await logged('stopping');
    let over = false;
    void program.exited.then(() => {
      over = true;
    });
    for (; !over; await setImmediate()) program.signal('SIGINT');
    expect(await program.exited).toEqual({ code: 1, signal: null });
    expect(program.complaints).toBe('second SIGINT, exiting\n');
  });

  it('with a SIGHUP after it takes no configuration over', async () => {
    const { program, logged } = await serve({ unready: '500ms', drain: '1s' });
    program.signal('SIGTERM');
    await logged('stopping');
    program.signal('SIGHUP');
    expect(await program.exited).toEqual({ code: 0, signal: null });
    expect(await program.rest()).toBe('');
  });
});

describe('a log that nobody reads', () => {
  it('whose reader is gone costs neither the process nor its exit code', async () => {
    const { program, proxy, request } = await serve({ unready: '0s', drain: '1s' });
    program.closeOutput();
    for (let i = 0; i < 20; i += 1) expect((await request('GET /x HTTP/1.1')).status).toBe(200);
    expect(proxy).not.toBe('');
    program.signal('SIGTERM');
    expect(await program.exited).toEqual({ code: 0, signal: null });
  });

  it('whose reader is gone just before the end is no reason to stay', async () => {
    const { program } = await serve({ unready: '0s', drain: '1s' });
    program.closeOutput();
    program.signal('SIGTERM');
    expect(await program.exited).toEqual({ code: 0, signal: null });
  });

  it('whose reader does not read any more holds nothing up, not even the end', async () => {
    const file = place.write(
      'some.yaml',
      place.complete({ ...ROUTES, server: { shutdown: { unready: '0s', drain: '1s' } } }),
    );
    const child = spawn(process.execPath, [SERVE_ENTRY, 'serve', '--config', file], {
      cwd: place.folder,
      env: {},
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const lines = createInterface({ input: child.stdout });
      const [first] = (await once(lines, 'line')) as [string];
      const { proxy } = JSON.parse(first) as { proxy: string };
      child.stdout.pause();
      lines.pause();
      const connection = await openRaw(proxy);
      // Some 2.5 MB of log: more than a pipe holds.
      const path = `/${'x'.repeat(4_000)}`;
      for (let i = 0; i < 600; i += 1) {
        connection.send(requestBytes(`GET ${path} HTTP/1.1`, ['Host: a']));
        expect((await connection.response()).status).toBe(200);
      }
      connection.close();
      child.kill('SIGTERM');
      expect(await once(child, 'exit')).toEqual([0, null]);
    } finally {
      child.kill('SIGKILL');
      child.stdout.destroy();
    }
  });
});

interface Tally {
  /** Answers that came whole. */
  complete: number;
  /** Answers that broke off. */
  broken: number;
}

/** Asks on one connection after the other, each as long as it is kept, until none is accepted any more. */
async function keepAliveClient(origin: string): Promise<Tally> {
  return ask(origin, Number.POSITIVE_INFINITY);
}

async function oneShotClient(origin: string): Promise<Tally> {
  return ask(origin, 1);
}

async function ask(origin: string, requestsPerConnection: number): Promise<Tally> {
  const tally = { complete: 0, broken: 0 };
  for (;;) {
    let connection: Awaited<ReturnType<typeof openRaw>>;
    try {
      connection = await openRaw(origin);
    } catch {
      return tally;
    }
    try {
      for (let sent = 0; sent < requestsPerConnection; sent += 1) {
        connection.send(requestBytes('GET /load HTTP/1.1', ['Host: a']));
        const response = await connection.response();
        tally.complete += 1;
        if (response.header('connection') === 'close') break;
      }
    } catch (error) {
      // Closed before it was accepted: the client may ask again elsewhere. Anything more is an answer cut short.
      if (!String(error).includes('closed after ""')) tally.broken += 1;
    }
    connection.close();
  }
}

/** Waits until connections are refused. */
async function untilRefused(origin: string): Promise<void> {
  for (;;) {
    try {
      (await openRaw(origin)).close();
    } catch {
      return;
    }
  }
}
