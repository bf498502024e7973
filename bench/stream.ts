/**
 * Pushes bytes down and up through a proxy in a process of its own, and reads off the kernel how much memory that process had
 * resident at most: `node bench/stream.ts [bytes]`, 1 GiB each way by default. Ends with 1 above the bar. Linux only.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';

const GIB = 2 ** 30;
const MIB = 2 ** 20;

/** Resident memory that the proxy may reach, in MiB. */
const BAR = 200;

const bytes = Number(process.argv[2] ?? GIB);

/** So many bytes, no more than a piece of them in memory. */
function source(length: number): Readable {
  const piece = Buffer.alloc(65_536, 'x');
  let left = length;
  return new Readable({
    read() {
      const size = Math.min(left, piece.length);
      left -= size;
      this.push(size === 0 ? null : piece.subarray(0, size));
    },
  });
}

async function count(stream: Readable): Promise<number> {
  let received = 0;
  stream.on('data', (chunk: Buffer) => {
    received += chunk.length;
  });
  await finished(stream, { writable: false });
  return received;
}

async function startUpstream(): Promise<{ origin: string; stop(): void }> {
  const server = createServer(async (incoming, response) => {
    if (incoming.method === 'POST') {
      response.end(String(await count(incoming)));
    } else {
      response.setHeader('content-length', bytes);
      await pipeline(source(bytes), response);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => server.close(),
  };
}

interface RunningProxy {
  readonly origin: string;
  /** Most memory that was ever resident, in MiB. */
  peak(): number;
  stop(): Promise<void>;
}

async function startProxy(upstream: string): Promise<RunningProxy> {
  const folder = mkdtempSync(join(tmpdir(), 'stream-'));
  const config = join(folder, 'config.json');
  writeFileSync(
    config,
    JSON.stringify({
      server: { listen: '127.0.0.1:0', shutdown: { unready: '0s' } },
      admin: { listen: '127.0.0.1:0' },
      upstreams: { board: { url: upstream } },
      routes: [{ id: 'all', match: { path: '/{path+}' }, allow: 'public', upstream: 'board' }],
    }),
  );
  const program = new URL('../src/bin.js', import.meta.url).pathname;
  const child = spawn(process.execPath, [program, 'serve', '--config', config], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  process.once('exit', () => child.kill('SIGKILL'));
  const origin = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const said = JSON.parse(line) as { readonly message: string; readonly proxy?: string };
      if (said.message === 'listening') resolve(said.proxy ?? '');
    });
    void exited.then(() => reject(new Error('the proxy did not start')));
  });
  return {
    origin,
    peak() {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      return Math.round(Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024);
    },
    async stop() {
      child.kill();
      await exited;
      rmSync(folder, { recursive: true });
    },
  };
}

async function download(origin: string): Promise<number> {
  const asked = request(`${origin}/down`).end();
  const [response] = (await once(asked, 'response')) as [Readable];
  return count(response);
}

async function upload(origin: string): Promise<number> {
  const asked = request(`${origin}/up`, { method: 'POST', headers: { 'content-length': bytes } });
  const answered = once(asked, 'response') as Promise<[Readable]>;
  await pipeline(source(bytes), asked);
  const [response] = await answered;
  let text = '';
  for await (const chunk of response) text += chunk;
  return Number(text);
}

const upstream = await startUpstream();
const proxy = await startProxy(upstream.origin);
const atStart = proxy.peak();
let right = true;
for (const [name, push] of [
  ['down', download],
  ['up', upload],
] as const) {
  const began = performance.now();
  const arrived = await push(proxy.origin);
  const seconds = (performance.now() - began) / 1000;
  right &&= arrived === bytes;
  const rate = Math.round(arrived / MIB / seconds);
  process.stdout.write(
    `${name}: ${arrived} bytes in ${seconds.toFixed(1)} s, ${rate} MiB/s; peak ${proxy.peak()} MiB\n`,
  );
}
const peak = proxy.peak();
process.stdout.write(`resident: ${atStart} MiB at the start, ${peak} MiB at most; the bar is ${BAR} MiB\n`);
await proxy.stop();
upstream.stop();
process.exitCode = right && peak < BAR ? 0 : 1;
