import { type ChildProcess, fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';

/** A Cognito user-pool service (cognito-local) in a process of its own, without any user pool yet. */
export interface UserPoolEmulator {
  /** Where the API is and, with `/` and the id of a pool after it, the issuer of that pool's tokens. */
  readonly origin: string;
  /** Resolves when the process is gone, whether stopped or not. */
  readonly ended: Promise<void>;
  /** Ends the process and removes its state. */
  stop(): Promise<void>;
}

/** What the process tells its parent, once. */
export type EmulatorMessage =
  | { readonly kind: 'ready'; readonly origin: string }
  | { readonly kind: 'failed'; readonly reason: string; readonly code: string };

/** Milliseconds that the process is given to end by itself; it takes a few. */
const STOP_TIMEOUT = 2000;

/**
 * Starts the emulator on a port (0: a free one) with its state in a new folder. The process ends with this
 * one, however this one ends.
 * @throws Error with `code` EADDRINUSE where the port is taken
 */
export async function startUserPoolEmulator(port = 0, host = '127.0.0.1'): Promise<UserPoolEmulator> {
  const folder = await mkdtemp(join(tmpdir(), 'cognito-auth-proxy-'));
  // Run from sources this file and its neighbour end in .ts, once compiled in .js.
  const entry = new URL(`user-pool-emulator-process${extname(import.meta.filename)}`, import.meta.url);
  const child = fork(entry, [String(port), host], {
    cwd: folder,
    execArgv: [],
    // Nothing is inherited: neither AWS credentials nor NODE_OPTIONS have any business there.
    env: { AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE: '1' },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const ended = new Promise<void>((resolve) => void child.once('exit', () => resolve()));

  async function stop(): Promise<void> {
    const impatience = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT);
    if (child.connected) child.disconnect();
    await ended;
    clearTimeout(impatience);
    await rm(folder, { recursive: true, force: true });
  }

  try {
    const { origin } = await ready(child);
    return { origin, ended, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function ready(child: ChildProcess): Promise<{ readonly origin: string }> {
  return new Promise((resolve, reject) => {
    let complaint = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(-2000);
    });
    child.once('message', (message: EmulatorMessage) => {
      if (message.kind === 'ready') resolve(message);
      else reject(Object.assign(new Error(message.reason), { code: message.code }));
    });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      reject(new Error(`the user-pool emulator ended with ${signal ?? code}: ${complaint.trim()}`));
    });
  });
}
