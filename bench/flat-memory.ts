import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, createServer, type IncomingMessage, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { makeOddRequest } from './world/odd-requests.ts';
import { CLIENT_ID, createMint, USER_POOL_ID } from './world/tokens.ts';

// Sends a flood in which nothing repeats but the tokens through a proxy process of its own, and shows its memory and the
// number of its metric series as it goes: both must stay where they are once every token has been seen. By hand:
//   node bench/flat-memory.ts [--requests 1000000] [--tokens 10000]

const ENTRY = fileURLToPath(new URL('../src/bin.js', import.meta.url));
const COLLECT_GARBAGE = new URL('./load/collect-garbage.js', import.meta.url).href;
const CONNECTIONS = 32;
const LOOKS = 20;

/** How much more memory there may be in the last quarter than in the second, at the best moment of each. */
const TOLERANCE = 1.05;

interface Look {
  readonly requests: number;
  /** MiB that the system has given it. */
  readonly resident: number;
  /** MiB of JavaScript objects that are in use. */
  readonly heap: number;
  /** Without those of the process, which Node.js makes as it opens things of another kind. */
  readonly series: number;
}

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '1000000' },
    tokens: { type: 'string', default: '10000' },
  },
});
const requests = Number(values.requests);
const folder = mkdtempSync(join(tmpdir(), 'flat-memory-'));
const mint = createMint(folder);
const tokens = await mint.tokens(Number(values.tokens));

const upstream = createServer((_request, response) => void response.end('ok')).listen(0, '127.0.0.1');
await once(upstream, 'listening');

const config = join(folder, 'proxy.yaml');
const board = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
writeFileSync(
  config,
  JSON.stringify({
    server: { listen: '127.0.0.1:0', shutdown: { unready: '0s', drain: '5s' } },
    admin: { listen: '127.0.0.1:0' },
    userPools: {
      main: { userPoolId: USER_POOL_ID, clientIds: [CLIENT_ID], keys: { file: mint.keySetFile } },
    },
    upstreams: { board: { url: board } },
    routes: [{ id: 'things', match: { path: '/things/{id}' }, allow: 'authenticated', upstream: 'board' }],
  }),
);
const proxy = spawn(
  process.execPath,
  ['--expose-gc', '--import', COLLECT_GARBAGE, ENTRY, 'serve', '--config', config],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);
// The access log is read and thrown away, as a container engine would read and keep it.
const log = createInterface({ input: proxy.stdout });
const [first] = (await once(log, 'line')) as [string];
const addresses = JSON.parse(first) as { proxy: string; admin: string };
const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
const looks: Look[] = [];

console.log('  requests   resident       heap   series');
let next = 1;
for (let look = 1; look <= LOOKS; look += 1) {
  const upTo = Math.round((requests * look) / LOOKS);
  await Promise.all(Array.from({ length: CONNECTIONS }, () => sendUpTo(upTo)));
  const seen = await lookAt(addresses.admin, upTo);
  looks.push(seen);
  console.log(
    `${String(seen.requests).padStart(10)} ${seen.resident.toFixed(1).padStart(6)} MiB ${seen.heap.toFixed(1).padStart(6)} MiB ${String(seen.series).padStart(8)}`,
  );
}

agent.destroy();
proxy.kill('SIGTERM');
await once(proxy, 'close');
upstream.close();
upstream.closeAllConnections();
rmSync(folder, { recursive: true });

const early = looks.slice(LOOKS / 4, LOOKS / 2);
const late = looks.slice(-LOOKS / 4);
const verdicts = [
  grown('resident', early, late),
  grown('heap', early, late),
  new Set([...early, ...late].map(({ series }) => series)).size > 1 ? 'series were added' : null,
  requests < tokens.length * 4 ? 'too few requests to have seen every token early' : null,
].filter((verdict) => verdict !== null);
console.log(verdicts.length === 0 ? 'flat' : `NOT FLAT: ${verdicts.join('; ')}`);
process.exitCode = verdicts.length === 0 ? 0 : 1;

async function sendUpTo(end: number): Promise<void> {
  while (next <= end) {
    const sent = send(addresses.proxy, { agent, ...makeOddRequest(next++, tokens) }).end();
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    await once(answer.resume(), 'end');
  }
}

async function lookAt(admin: string, count: number): Promise<Look> {
  proxy.kill('SIGCONT');
  await fetch(`${admin}/livez`);
  const scrape = await (await fetch(`${admin}/metrics`)).text();
  const mebibytes = (name: string): number =>
    Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(scrape)?.[1]) / 1_048_576;
  return {
    requests: count,
    resident: mebibytes('process_resident_memory_bytes'),
    heap: mebibytes('nodejs_heap_size_used_bytes'),
    series: scrape.split('\n').filter((line) => /^(cognito_auth_proxy|http)_/.test(line)).length,
  };
}

function grown(what: 'resident' | 'heap', before: readonly Look[], after: readonly Look[]): string | null {
  const [least, now] = [before, after].map((some) => Math.min(...some.map((look) => look[what])));
  if (least === undefined || now === undefined || now <= least * TOLERANCE) return null;
  return `${what} grew from ${least.toFixed(1)} to ${now.toFixed(1)} MiB`;
}
