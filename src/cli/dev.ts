import { missingDevPackage } from '../dev/dev-packages.ts';
import type { DevPorts, DevStackParts } from '../dev/dev-stack.ts';
import { writeGuide } from '../dev/guide.ts';

export const DEV_PORTS: DevPorts = { proxy: 8080, admin: 9090, cognito: 9229, upstream: 3000 };

export interface DevOptions {
  readonly ports: DevPorts;
  /** One line of JSON for scripts instead of the guide for people. */
  readonly json: boolean;
}

/** What the command needs from the process it runs in. */
export interface DevTerminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Aborted when the command is to stop, as by Ctrl-C. */
  readonly signal: AbortSignal;
}

type House = Pick<DevStackParts, 'createService' | 'readConfig' | 'overrides'>;

/**
 * Runs the development stack until it is told to stop.
 * @returns the exit code: 0 when it was told to stop, 1 when it could not start or a part of it ended
 */
export async function runDev(options: DevOptions, terminal: DevTerminal, house: House): Promise<number> {
  const { out, err, signal } = terminal;
  const missing = missingDevPackage();
  if (missing !== undefined) {
    err(
      `dev needs a checkout with its development dependencies: ${missing} is not installed, run npm ci there\n`,
    );
    return 1;
  }

  // Only now: in a production installation the stack's own imports are not there to be loaded.
  const { startDevStack } = await import('../dev/dev-stack.ts');
  const progress = (line: string): void => err(`${line}\n`);
  try {
    const stack = await startDevStack({ ...house, ports: options.ports, progress });
    out(options.json ? `${JSON.stringify(stack.summary)}\n` : writeGuide(stack.summary));
    const told = await Promise.race([aborted(signal).then(() => true), stack.ended.then(() => false)]);
    if (told) progress('stopping');
    else err('the Cognito user pool has ended unexpectedly\n');
    await stack.stop();
    return told ? 0 : 1;
  } catch (error) {
    err(`${(error as Error).message}\n`);
    return 1;
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
