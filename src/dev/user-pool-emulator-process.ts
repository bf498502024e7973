import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { createDefaultServer } from 'cognito-local';
import type { EmulatorMessage } from './user-pool-emulator.ts';

/**
 * The emulator's process: an entry of its own, forked with an empty folder as working directory, where cognito-local
 * keeps its state. It takes the port itself and only then writes the configuration that names the port, so that a free
 * port can be asked for without a moment in which another process might take it.
 */
const folder = process.cwd();

// The channel closes when the parent stops us, and also when the parent is killed outright.
process.on('disconnect', () => {
  rmSync(folder, { recursive: true, force: true });
  process.exit(0);
});
// Ctrl-C and a closed terminal reach the whole process group; the parent decides when we end.
process.on('SIGINT', () => undefined);
process.on('SIGHUP', () => undefined);

const tell = (message: EmulatorMessage): void => void process.send?.(message);
const server = createServer();

server.on('error', (error: NodeJS.ErrnoException) => {
  tell({ kind: 'failed', reason: error.message, code: error.code ?? '' });
});

server.on('listening', async () => {
  try {
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    mkdirSync('.cognito');
    writeFileSync('.cognito/config.json', JSON.stringify(configuration(origin)));
    const { application } = await createDefaultServer(silentLogger());
    server.on('request', application);
    tell({ kind: 'ready', origin });
  } catch (error) {
    tell({ kind: 'failed', reason: String(error), code: '' });
  }
});

server.listen(Number(process.argv[2]), process.argv[3]);

/** User names such as `alice` are refused while the pools' default asks for e-mail addresses as user names. */
function configuration(origin: string): object {
  return { UserPoolDefaults: { UsernameAttributes: [] }, TokenConfig: { IssuerDomain: origin } };
}

/** Made by cognito-local's own version of pino, which its middleware insists on. */
function silentLogger(): Parameters<typeof createDefaultServer>[0] {
  const requireAsEmulator = createRequire(import.meta.resolve('cognito-local'));
  return requireAsEmulator('pino')({ level: 'silent' });
}
