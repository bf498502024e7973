import { connect } from 'node:net';
import { giveUp } from './give-up.ts';

// Reads one answer as fast as it comes and throws it away. Arguments: port, the bytes of the request in base64, the length
// of the body that is expected. Prints the seconds it took.
const [port, request = '', expected] = process.argv.slice(2);
const buffer = Buffer.allocUnsafe(1 << 20);
const startedAt = performance.now();
let head = '';
let received = -1;

const socket = connect({
  port: Number(port),
  host: '127.0.0.1',
  onread: {
    buffer,
    callback(length) {
      if (received >= 0) {
        received += length;
      } else {
        head += buffer.toString('latin1', 0, length);
        const end = head.indexOf('\r\n\r\n');
        if (end >= 0) received = head.length - end - 4;
      }
      if (received >= Number(expected)) finish();
      return true;
    },
  },
});
socket.on('connect', () => socket.write(Buffer.from(request, 'base64')));
socket.on('error', (error) => giveUp(error.message));
socket.on('end', () => giveUp(`the answer ended after ${received} bytes of its body`));

function finish(): void {
  if (!head.startsWith('HTTP/1.1 200 ')) giveUp(head.slice(0, head.indexOf('\r\n')));
  if (received !== Number(expected)) giveUp(`${received} bytes came instead of ${expected}`);
  socket.destroy();
  process.stdout.write(`${JSON.stringify({ seconds: (performance.now() - startedAt) / 1000 })}\n`);
}
