import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Program, runProgram } from './program.ts';
import { takePort } from './served.ts';

/** Debian's nginx as a service with pages of its own. */
export interface NginxServer {
  readonly origin: string;
  stop(): Promise<void>;
}

/** @param locations the inside of its `server` block, in nginx's words */
export async function startNginx(locations: string): Promise<NginxServer> {
  const folder = mkdtempSync(join(tmpdir(), 'nginx-test-'));
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => {
    mkdirSync(join(folder, name));
    return `${name}_temp_path ${join(folder, name)};`;
  });
  const { port, giveBack } = await takePort();
  const file = join(folder, 'nginx.conf');
  writeFileSync(
    file,
    `daemon off; master_process off; pid ${join(folder, 'pid')}; error_log ${join(folder, 'errors')} crit;
    events {}
    http { access_log off; ${temporary.join(' ')} server { listen 127.0.0.1:${port}; ${locations} } }`,
  );
  await giveBack();
  const program = runProgram('nginx', ['-p', folder, '-c', file], {
    env: { PATH: process.env['PATH'] ?? '' },
  });
  await untilListening(port, program);
  return {
    origin: `http://127.0.0.1:${port}`,
    async stop() {
      program.signal('SIGTERM');
      await program.exited;
      rmSync(folder, { recursive: true });
    },
  };
}

async function untilListening(port: number, program: Program): Promise<void> {
  let ended = false;
  void program.exited.then(() => {
    ended = true;
  });
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const there = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(
        () => false,
        () => false,
      ),
    ]).catch(() => false);
    socket.destroy();
    if (there) return;
    if (ended) throw new Error(`nginx ended: ${program.complaints}`);
  }
}
