import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';

/** An address at which nobody takes connections, and nobody refuses them either. */
export interface StuckListener {
  readonly origin: string;
  stop(): Promise<void>;
}

const LISTEN = `
const server = require('node:net').createServer();
server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(server.address().port));
`;

/** A process that listens, then is stopped, its queue filled: the kernel leaves all further connections unanswered. */
export async function startStuckListener(): Promise<StuckListener> {
  const child = spawn(process.execPath, ['-e', LISTEN], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const port = Number(line.toString());
  child.kill('SIGSTOP');
  // One more than the backlog is what the kernel keeps; connections beyond it are tried again and again.
  const queued = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')];
  await Promise.all(queued.map((socket) => once(socket, 'connect')));
  return {
    origin: `http://127.0.0.1:${port}`,
    async stop() {
      for (const socket of queued) socket.destroy();
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}
