import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Tools } from './prerequisites.ts';

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  /** The cores it may run on. */
  readonly cores: readonly number[];
  /** Where standard output is appended to; kept for {@link Child.output} when left out. */
  readonly log?: string;
  readonly folder?: string;
}

/** A process that the bench has started. */
export interface Child {
  readonly pid: number;
  /** Resolves when it is gone: null when it ended well, else in what way it did not. */
  readonly ended: Promise<string | null>;
  /** What it has written to standard output. */
  output(): string;
  /** The last of what it has written to standard error. */
  complaint(): string;
  interrupt(): void;
  /** Ends it: asked at first, then made to. */
  stop(): Promise<void>;
}

/** Starts processes and knows which are there, so that none outlives the bench. */
export interface Processes {
  start(command: Command): Child;
  /**
   * Runs a command to its end.
   * @param timeout milliseconds
   * @returns what it wrote to standard output
   * @throws when it fails or takes too long
   */
  run(command: Command, timeout: number): Promise<string>;
  stopAll(): Promise<void>;
}

/** Milliseconds a process has to end after it was asked to. */
const PATIENCE = 3_000;

const KEPT_COMPLAINT = 4_096;

/**
 * @param environment what the processes see of it; everything else of ours is kept from them
 */
export function createProcesses(tools: Tools, environment: Readonly<Record<string, string>>): Processes {
  const running = new Set<Child>();

  const start = (command: Command): Child => {
    const { file, args, cores } = command;
    const output = command.log === undefined ? 'pipe' : openSync(command.log, 'a');
    // Each program replaces the one before it, so the id is the last one's. The kernel ends it should the bench be killed.
    const spawned = spawn(
      tools.setpriv,
      ['--pdeathsig', 'TERM', tools.taskset, '--cpu-list', cores.join(','), file, ...args],
      { cwd: command.folder, env: environment, stdio: ['ignore', output, 'pipe'] },
    );
    if (typeof output === 'number') closeSync(output);
    const child = follow(spawned, file);
    running.add(child);
    void child.ended.then(() => running.delete(child));
    return child;
  };

  return {
    start,
    async run(command, timeout) {
      const child = start(command);
      const expired = Promise.withResolvers<string>();
      const timer = setTimeout(() => expired.resolve(`took longer than ${timeout / 1000} s`), timeout);
      const failure = await Promise.race([child.ended, expired.promise]);
      clearTimeout(timer);
      await child.stop();
      if (failure !== null) throw new Error(`${command.file} ${failure}\n${child.complaint()}`);
      return child.output();
    },
    async stopAll() {
      await Promise.all([...running].map((child) => child.stop()));
    },
  };
}

function follow(spawned: ChildProcess, file: string): Child {
  const ended = Promise.withResolvers<string | null>();
  let output = '';
  let complaint = '';
  let over = false;
  spawned.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  spawned.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-KEPT_COMPLAINT);
  });
  spawned.on('error', (error) => {
    over = true;
    ended.resolve(`could not be started: ${error.message}`);
  });
  spawned.on('close', (code, signal) => {
    over = true;
    ended.resolve(code === 0 ? null : `ended with ${signal ?? `code ${code}`}`);
  });
  if (spawned.pid === undefined) throw new Error(`${file} could not be started`);
  return {
    pid: spawned.pid,
    ended: ended.promise,
    output: () => output,
    complaint: () => complaint,
    interrupt: () => void spawned.kill('SIGINT'),
    async stop() {
      if (over) return;
      spawned.kill('SIGTERM');
      const timer = setTimeout(() => spawned.kill('SIGKILL'), PATIENCE);
      await ended.promise;
      clearTimeout(timer);
    },
  };
}
