import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { giveUp } from './give-up.ts';

// Opens connections, has one request answered on each, and keeps them open without another word until it is ended.
// Arguments: port, the file of requests, how many connections. Prints a line when all are there.
const [port, file = '', count] = process.argv.slice(2);
const requests = readFileSync(file, 'latin1').split('\0').slice(0, -1);
const waiting = Array.from({ length: Number(count) }, (_, i) => requests[i % requests.length] ?? '');
const sockets: Socket[] = [];

/** Connections being opened at one time: a burst would overflow the listener's backlog. */
const OPENING = 64;

function openNext(): void {
  const request = waiting.pop();
  if (request === undefined) {
    if (sockets.length === Number(count)) process.stdout.write('ready\n');
    return;
  }
  const socket = connect(Number(port), '127.0.0.1', () => socket.write(request, 'latin1'));
  socket.once('data', (answer) => {
    if (!answer.toString('latin1').startsWith('HTTP/1.1 200 ')) giveUp('a request was refused');
    sockets.push(socket);
    openNext();
  });
  socket.on('error', (error) => giveUp(error.message));
  socket.on('close', () => giveUp('a connection was closed'));
}

for (let i = 0; i < OPENING; i++) openNext();
