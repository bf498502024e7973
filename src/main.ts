import { readFileSync } from 'node:fs';
import closeWithGrace from 'close-with-grace';
import { nameProgram } from './cli/command.ts';
import { runProgram } from './cli/program.ts';

// The edge of the process: its arguments, streams, signals and exit code are touched here and nowhere else.

const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  readonly version: string;
};

const stopping = new AbortController();
const finished = Promise.withResolvers<number>();

/** Milliseconds in which another Ctrl-C is the same one: npm hands on what the terminal has sent to us as well. */
const SAME_INTERRUPT = 300;

// A first signal, or an error that nobody caught, asks the command to end well; a second one ends the process at once.
const ending = closeWithGrace({ delay: false, skip: ['SIGHUP', 'SIGINT', 'beforeExit'] }, async ({ err }) => {
  if (err !== undefined) process.stderr.write(`cognito-auth-proxy: ${err.stack}\n`);
  stopping.abort();
  const code = await finished.promise;
  process.exit(err === undefined ? code : 1);
});
let interruptedAt: number | null = null;
process.on('SIGINT', () => {
  if (!stopping.signal.aborted) {
    interruptedAt = performance.now();
    void ending.close();
  } else if (interruptedAt === null || performance.now() - interruptedAt > SAME_INTERRUPT) {
    process.stderr.write('second SIGINT, exiting\n');
    process.exit(1);
  }
});

// A reader that has seen enough, such as `head`, or that is gone, is no failure.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

const code = await runProgram(
  process.argv.slice(2),
  {
    name: nameProgram(process.argv[1] ?? '', process.cwd()),
    environment: process.env,
    folder: process.cwd(),
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    signal: stopping.signal,
    onHangup: (run) => void process.on('SIGHUP', run),
  },
  manifest.version,
);
process.exitCode = code;
finished.resolve(code);
