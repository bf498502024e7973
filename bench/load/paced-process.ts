import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { percentile } from '../measure/statistics.ts';
import { giveUp } from './give-up.ts';

// Sends requests at a fixed rate, whether or not earlier ones have been answered. Each latency counts from the moment at
// which its request was due, so that a server that stalls is charged for all that should have been sent meanwhile: what
// load generators leave out when they wait for the answer first ("coordinated omission").
//
// Arguments: port, the file of requests, requests a second, seconds, connections. Prints the result as a line of JSON.

const [portText, file = '', rateText, secondsText, connectionsText] = process.argv.slice(2);
const requests = readFileSync(file, 'latin1')
  .split('\0')
  .slice(0, -1)
  .map((text) => Buffer.from(text, 'latin1'));
const rate = Number(rateText);
const total = Math.round(rate * Number(secondsText));

/** Milliseconds for the last answers to come in. */
const PATIENCE = 5_000;

/** Milliseconds of sleep between two looks at sockets and clock. Timers of Node are ten times as coarse. */
const NAP = 0.1;

interface Connection {
  readonly socket: Socket;
  /** When the request under way was due. */
  due: number;
  /** Bytes of the answer still to come; -1 before its header section. */
  missing: number;
}

const latencies = new Float64Array(total);
const free: Connection[] = [];
const bed = new Int32Array(new SharedArrayBuffer(4));
let scheduled = 0;
let sent = 0;
let answered = 0;
let start = 0;

const dueAt = (index: number): number => start + (index * 1000) / rate;

function open(): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(Number(portText), '127.0.0.1', () => {
      free.push(connection);
      resolve();
    });
    const connection: Connection = { socket, due: 0, missing: -1 };
    socket.setNoDelay(true);
    socket.on('data', (chunk) => receive(connection, chunk));
    socket.on('error', (error) => giveUp(error.message));
    socket.on('close', () => giveUp('a connection was closed'));
  });
}

function receive(connection: Connection, chunk: Buffer): void {
  if (connection.missing < 0) {
    const text = chunk.toString('latin1');
    const end = text.indexOf('\r\n\r\n');
    const length = /\r\ncontent-length: (\d+)\r\n/i.exec(text)?.[1];
    if (!text.startsWith('HTTP/1.1 200 ')) giveUp(`an answer was ${text.slice(0, text.indexOf('\r\n'))}`);
    if (end < 0 || length === undefined) giveUp('an answer did not come with its length in one piece');
    connection.missing = Number(length) - (chunk.length - end - 4);
  } else {
    connection.missing -= chunk.length;
  }
  if (connection.missing > 0) return;
  latencies[answered++] = performance.now() - connection.due;
  connection.missing = -1;
  free.push(connection);
}

function turn(): void {
  const now = performance.now();
  while (scheduled < total && dueAt(scheduled) <= now) scheduled += 1;
  while (sent < scheduled && free.length > 0) {
    const connection = free.shift() as Connection;
    connection.due = dueAt(sent);
    connection.socket.write(requests[sent % requests.length] as Buffer);
    sent += 1;
  }
  if (answered === total) {
    finish(now);
    return;
  }
  if (now > dueAt(total) + PATIENCE) giveUp(`${total - answered} requests were not answered in time`);
  const pause = Math.min(dueAt(scheduled) - now, NAP);
  if (pause > 0) Atomics.wait(bed, 0, 0, pause);
  setImmediate(turn);
}

function finish(now: number): void {
  const result = {
    requests: total,
    seconds: (now - start) / 1000,
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
  };
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
}

await Promise.all(Array.from({ length: Number(connectionsText) }, open));
start = performance.now();
turn();
