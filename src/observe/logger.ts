import { fstatSync } from 'node:fs';
import type { LogFields } from '../core/log-fields.ts';
import type { LogLevel, ProcessLogger } from '../core/ports.ts';
import { formatLine } from './format-line.ts';
import { createLineWriter } from './line-writer.ts';

export interface LoggerOptions {
  /** Where lines go. Default: standard output. */
  readonly descriptor?: number;
  /** Whether other processes write to the same place. */
  readonly shared?: boolean;
}

/** The levels from the most talkative to the most quiet. */
const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/**
 * PIPE_BUF of Linux: what is written to a pipe at once up to here, others' lines do not come between (POSIX, write). Files take
 * any number of bytes at once.
 */
const INDIVISIBLE_BYTES = 4_096;

const BATCH_BYTES = 32_768;

/** Bytes of log held for a slow reader. */
const HELD_BYTES = 8 * 1_048_576;

/** Makes the logger: JSON lines, written in batches. */
export function createLogger(level: LogLevel, options: LoggerOptions = {}): ProcessLogger {
  const descriptor = options.descriptor ?? 1;
  const lines = createLineWriter({
    descriptor,
    batchBytes: options.shared === true && isPipe(descriptor) ? INDIVISIBLE_BYTES : BATCH_BYTES,
    heldBytes: HELD_BYTES,
    describeLoss: (count) => formatLine('warn', Date.now(), { lines: count }, 'log lines were lost'),
  });
  let least = LEVELS.indexOf(level);

  const writerOf = (at: LogLevel): ((fields: LogFields, message: string) => void) => {
    const rank = LEVELS.indexOf(at);
    return (fields, message) => {
      if (rank >= least) lines.write(formatLine(at, Date.now(), fields, message));
    };
  };
  return {
    debug: writerOf('debug'),
    info: writerOf('info'),
    warn: writerOf('warn'),
    error: writerOf('error'),
    enabled: (at) => LEVELS.indexOf(at) >= least,
    setLevel(next) {
      least = LEVELS.indexOf(next);
    },
    flush: () => lines.flush(),
  };
}

function isPipe(descriptor: number): boolean {
  const stats = fstatSync(descriptor);
  return stats.isFIFO() || stats.isSocket();
}
