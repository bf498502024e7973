import { type SpawnOptionsWithoutStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A program under test, run as a user runs it. */
export interface Program {
  readonly pid: number;
  /** The next whole line of standard output, without its end; rejects when there will be none. */
  line(): Promise<string>;
  /** Everything on standard output that was not read as lines, once it has exited. */
  rest(): Promise<string>;
  /** Everything on standard error so far. */
  readonly complaints: string;
  /** Closes our end of its standard output: what it writes then has no reader. */
  closeOutput(): void;
  /** Resolves when standard error has said this. */
  said(text: string): Promise<void>;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  signal(signal: NodeJS.Signals): void;
}

/** Where Node keeps what it made of source files: the next process starts in half the time. */
const COMPILE_CACHE = fileURLToPath(new URL('../../node_modules/.cache/compile', import.meta.url));

/** Starts it with exactly this environment, nothing inherited. */
export function runProgram(
  command: string,
  args: readonly string[],
  options: SpawnOptionsWithoutStdio = {},
): Program {
  const child = spawn(command, args, {
    ...options,
    env: { NODE_COMPILE_CACHE: COMPILE_CACHE, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let complaints = '';
  const listeners = new Set<() => void>();
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text;
    for (const listener of listeners) listener();
  });
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();

  return {
    pid: child.pid ?? 0,
    exited,
    get complaints() {
      return complaints;
    },
    async line() {
      const next = await lines.next();
      if (next.done === true) throw new Error(`no more output; standard error: ${complaints}`);
      return next.value;
    },
    async rest() {
      const left: string[] = [];
      for (;;) {
        const next = await lines.next();
        if (next.done === true) return left.join('\n');
        left.push(next.value);
      }
    },
    closeOutput: () => void child.stdout.destroy(),
    said(text) {
      return new Promise((resolve, reject) => {
        const look = (): void => {
          if (!complaints.includes(text)) return;
          listeners.delete(look);
          resolve();
        };
        listeners.add(look);
        look();
        void exited.then(() => reject(new Error(`it ended without saying ${text}: ${complaints}`)));
      });
    },
    signal: (signal) => void child.kill(signal),
  };
}
