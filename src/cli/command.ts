import { relative } from 'node:path';
import type { Command } from 'commander';
import type { Environment } from '../config/substitute.ts';
import type { ExitCode } from './exit-code.ts';

/** What a command may know of the process it runs in; nothing else reaches for it. */
export interface CommandContext {
  /** How the program was called, for what to call next. */
  readonly name: string;
  readonly environment: Environment;
  /** Where relative paths on the command line start. */
  readonly folder: string;
  /** Writes to standard output: results. */
  readonly out: (text: string) => void;
  /** Writes to standard error: everything that is not the result. */
  readonly err: (text: string) => void;
  /** Aborted when the command is to stop, as by Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
  /** Runs this on every SIGHUP. */
  readonly onHangup: (run: () => void) => void;
}

/** Registers one command with its options; its action hands the exit code to `finish`. */
export type AddCommand = (
  program: Command,
  context: CommandContext,
  finish: (code: ExitCode) => void,
) => void;

/** By its name; from a checkout, where it is not installed, by the script that it was started with. */
export function nameProgram(script: string, folder: string): string {
  const inCheckout = /[\\/]src[\\/](main\.ts|bin\.js)$/.test(script);
  return inCheckout ? `npx node ${relative(folder, script)}` : 'cognito-auth-proxy';
}

/** Resolves when the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
