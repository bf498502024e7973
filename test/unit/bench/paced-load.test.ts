import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { writeRequests } from '../../../bench/world/requests.ts';

const PROGRAM = fileURLToPath(new URL('../../../bench/load/paced-process.ts', import.meta.url));
const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

let folder: string;
let server: Server;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bench-paced-'));
});
afterEach(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

async function listen(answer: (socket: Socket) => void): Promise<number> {
  server = createServer((socket) => {
    socket.on('data', () => answer(socket));
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** 100 requests a second on one connection, for half a second. */
async function runPaced(port: number): Promise<{ code: number; output: string; complaint: string }> {
  const { path } = writeRequests(folder, { kind: 'public', routes: 4, tokens: null });
  const child = spawn(process.execPath, [PROGRAM, String(port), path, '100', '0.5', '1']);
  const [output, complaint, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit') as Promise<[number]>,
  ]);
  return { code, output, complaint };
}

it('sends what is due, and tells how long answers took', async () => {
  const port = await listen((socket) => socket.write(ANSWER));
  const { code, output } = await runPaced(port);
  expect(code).toBe(0);
  expect(JSON.parse(output)).toMatchObject({ requests: 50 });
});

it('charges a server that stalls for all that was due meanwhile', async () => {
  const stall = 300;
  let answered = 0;
  const port = await listen((socket) => {
    if (answered++ === 0) setTimeout(() => socket.write(ANSWER), stall);
    else socket.write(ANSWER);
  });
  const { p50, p99 } = JSON.parse((await runPaced(port)).output) as { p50: number; p99: number };
  // 30 of 50 requests were due in the stall, the last ten milliseconds before its end; had the generator waited for the
  // first answer, 49 of 50 would look quick. These are lower bounds, which a slow machine only exceeds.
  expect(p99).toBeGreaterThanOrEqual(stall - 10);
  expect(p50).toBeGreaterThanOrEqual(40);
});

it.each([
  ['HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n', 'an answer was HTTP/1.1 401 Unauthorized\n'],
  [
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
    'an answer did not come with its length in one piece\n',
  ],
])('gives up on %j', async (answer, reason) => {
  const port = await listen((socket) => socket.write(answer));
  expect(await runPaced(port)).toEqual({ code: 1, output: '', complaint: reason });
});

it('gives up when a connection is closed', async () => {
  const port = await listen((socket) => socket.destroy());
  const { code, complaint } = await runPaced(port);
  expect(code).toBe(1);
  expect(complaint).toMatch(/^a connection was closed\n$|ECONNRESET/);
});
