/**
 * Puts mixed traffic on a proxy process of its own for as long as one likes, and judges every single answer: its status, its body, and
 * whose it is. Valid, refused, slow and aborted requests, WebSockets, reloads of the configuration (some with mistakes) and rotations
 * of the keys go on beside each other; memory, descriptors and event loop of the proxy are watched.
 *
 *   npm run soak -- [--minutes 10] [--rate 2000] [--workers 1]
 *
 * Ends with 1 when an answer was wrong or lost, a request that was to be refused arrived, or memory or descriptors were not flat
 * after the warm-up, which is the first quarter of a run of three minutes or more. Linux only. With taskset (Debian package util-linux) the proxy has one core and all
 * else another.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PAIR_A } from '../test/support/certificates.ts';
import { shareCores } from './machine.ts';
import { startCallers } from './soak/callers.ts';
import { SoakConnection } from './soak/connection.ts';
import { describeLook, findGrowth, type Look } from './soak/flatness.ts';
import { createChooser, type Kind, type Surroundings } from './soak/kinds.ts';
import { createTally } from './soak/tally.ts';
import { startSoakUpstream } from './soak/upstream.ts';
import { canPin, startWatchedProxy } from './soak/watched-proxy.ts';
import { startWebSockets } from './soak/web-sockets.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    rate: { type: 'string', default: '2000' },
    workers: { type: 'string', default: '1' },
  },
});
const seconds = Number(values.minutes) * 60;
const rate = Number(values.rate);

/** Connections that carry one request after another; more only when all are waiting. */
const MOST_CONNECTIONS = 512;
/** Of which so many are kept while there is nothing to send: a hiccup of the machine must not look like a leak. */
const MOST_IDLE = 64;
const WEB_SOCKETS = 50;

/** Seconds between two of each. */
const RELOAD_EVERY = 7;
const ROTATE_EVERY = 15;
const LOOK_EVERY = 1;

/** Looks of which the last comes after a collection of garbage; a quarter of a run has one at least. */
const COLLECT_EVERY = Math.max(1, Math.min(10, Math.floor(seconds / LOOK_EVERY / 8)));

/** Seconds that the proxy has to let go of what it held for the traffic. */
const SETTLING = 15;

/** Descriptors more than before the traffic that are none of it: a connection to the issuer, to whoever scrapes. */
const OWN_DESCRIPTORS = 8;

/** Seconds; in fewer, all that is seen is how the process warms up. */
const LONG_ENOUGH = 180;
const tooShort = seconds < LONG_ENOUGH;

const cores = canPin() ? shareCores(readFileSync('/proc/self/status', 'utf8')) : null;
if (cores !== null) spawnSync('taskset', ['-acp', String(cores.load), String(process.pid)]);

const folder = mkdtempSync(join(tmpdir(), 'soak-'));
const upstream = await startSoakUpstream();
const callers = await startCallers(PAIR_A);
const proxy = await startWatchedProxy({
  folder,
  upstream: upstream.origin,
  issuer: callers.issuer,
  authority: PAIR_A.cert,
  core: cores === null ? null : cores.contender,
  workers: Number(values.workers),
});
const atRest = proxy.descriptors();
const tally = createTally();
let numbers = 0;
const around: Surroundings = { port: proxy.port, callers, tally, number: () => numbers++ };

const free: SoakConnection[] = [];
const underWay = new Set<Promise<void>>();
const choose = createChooser();
const webSockets = startWebSockets(WEB_SOCKETS, around);
const looks: Look[] = [];
const start = performance.now();
const elapsed = (): number => (performance.now() - start) / 1000;
let sent = 0;
let behind = 0;
let variant = 0;
let interrupted = false;
process.once('SIGINT', () => {
  interrupted = true;
});

for (let reloads = 0, rotations = 0; !interrupted && !proxy.gone && elapsed() < seconds; ) {
  const now = elapsed();
  if (now > (reloads + 1) * RELOAD_EVERY) {
    reloads += 1;
    proxy.reconfigure(++variant);
  }
  if (now > (rotations + 1) * ROTATE_EVERY) {
    rotations += 1;
    callers.rotate();
  }
  if (now > looks.length * LOOK_EVERY) await takeLook(now);
  while (sent < now * rate) {
    if (underWay.size >= MOST_CONNECTIONS) {
      behind = Math.max(behind, now * rate - sent);
      break;
    }
    sendOne(choose());
  }
  await new Promise((resolve) => setTimeout(resolve, 1));
}
const lasted = elapsed();
await webSockets.stop();
await Promise.all(underWay);
for (const connection of free) connection.close();
const left = proxy.gone ? [] : await settle();
const reloaded = await proxy.metric('cognito_auth_proxy_config_reloads_total', 'success');
const refused = await proxy.metric('cognito_auth_proxy_config_reloads_total', 'failure');
const fetched = await proxy.metric('cognito_auth_proxy_jwks_fetch_total', 'success');
const code = proxy.gone ? null : await proxy.stop();
upstream.stop();
await callers.stop();
rmSync(folder, { recursive: true });

const verdicts = [
  ...(tally.wrongs > 0 ? [`${tally.wrongs} answers were wrong`] : []),
  ...(tally.losses > 0 ? [`${tally.losses} answers were lost`] : []),
  ...(upstream.leaked.length > 0
    ? [`the upstream saw ${upstream.leaked.length} requests that were refused`]
    : []),
  ...(upstream.repeated.length > 0 ? [`the upstream saw ${upstream.repeated.length} POSTs again`] : []),
  ...(tooShort ? [] : findGrowth(looks)),
  ...left,
  ...(code === 0 ? [] : [`the proxy ended with ${code}`]),
];
const delays = looks
  .slice(1)
  .map(({ delay }) => delay)
  .sort((a, b) => a - b);
process.stdout.write(
  `\n${tally.summary()}\n` +
    `${sent} requests in ${lasted.toFixed(1)} s, ${(sent / lasted).toFixed(0)} a second, at most ${behind.toFixed(0)} behind; ` +
    `${tally.answered} answers and messages, ${tally.wrongs} wrong, ${tally.losses} lost\n` +
    `configuration: taken over ${reloaded} times, refused ${refused} times; keys fetched ${fetched} times; ` +
    `the event loop’s delay, at the 99th percentile of each second: ` +
    `${delays[delays.length >> 1]?.toFixed(1)} ms in most, ${delays.at(-1)?.toFixed(1)} ms in the worst\n` +
    `${verdicts.length === 0 ? `well: nothing wrong, nothing lost, ${tooShort ? 'too short to tell whether all is flat' : 'all flat'}` : `NOT WELL: ${verdicts.join('; ')}`}\n`,
);
process.exitCode = verdicts.length === 0 ? 0 : 1;

function sendOne(kind: Kind): void {
  sent += 1;
  const connection = nextConnection();
  const done = kind.run(connection, around).then(() => {
    if (free.length >= MOST_IDLE) connection.close();
    else if (connection.open) free.push(connection);
    underWay.delete(done);
  });
  underWay.add(done);
}

/** The one that has been idle for the shortest time, so that idle ones grow old and others are opened. */
function nextConnection(): SoakConnection {
  for (let last = free.pop(); last !== undefined; last = free.pop()) if (last.open) return last;
  return new SoakConnection(proxy.port);
}

async function takeLook(now: number): Promise<void> {
  if (proxy.gone) return;
  const look = await proxy.look(now, looks.length % COLLECT_EVERY === COLLECT_EVERY - 1);
  looks.push(look);
  const line =
    `${now.toFixed(0).padStart(5)} s ${tally.answered} answered, ${tally.wrongs} wrong, ${tally.losses} lost, ` +
    `${underWay.size} under way; ${describeLook(look)}`;
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${line}`);
  else if (looks.length % 10 === 1) process.stdout.write(`${line}\n`);
}

/** Waits until the proxy is at rest; says what it has not let go of. */
async function settle(): Promise<string[]> {
  const gauges = ['requests_in_flight', 'websockets', 'client_connections', 'upstream_connections'];
  for (let i = 0; ; i++) {
    const left: string[] = [];
    for (const name of gauges) {
      const value = await proxy.metric(`cognito_auth_proxy_${name}`);
      if (value !== 0) left.push(`${name} is ${value} at rest`);
    }
    const more = proxy.descriptors() - atRest;
    if (more > OWN_DESCRIPTORS) left.push(`${more} descriptors more than before`);
    if (left.length === 0 || i >= SETTLING || proxy.gone) return left;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}
