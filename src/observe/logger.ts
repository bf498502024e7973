import pino from 'pino';
import type { LogLevel, ProcessLogger } from '../core/ports.ts';
import { createLineWriter } from './line-writer.ts';

export interface LoggerOptions {
  /** Where lines go. Default: standard output. */
  readonly descriptor?: number;
  /** Whether other processes write to the same place. */
  readonly shared?: boolean;
}

/** PIPE_BUF of Linux: what is written at once up to here, others' lines do not come between (POSIX, write). */
const INDIVISIBLE_BYTES = 4_096;

const BATCH_BYTES = 32_768;

const MAX_CAUSES = 5;

/** Bytes of log held for a slow reader. */
const HELD_BYTES = 8 * 1_048_576;

/**
 * Makes the logger: JSON lines, written in batches. Of an error only name, code and message are logged; its other
 * properties may hold what was sent.
 */
export function createLogger(level: LogLevel, options: LoggerOptions = {}): ProcessLogger {
  const lines = createLineWriter({
    descriptor: options.descriptor ?? 1,
    batchBytes: options.shared ? INDIVISIBLE_BYTES : BATCH_BYTES,
    heldBytes: HELD_BYTES,
    describeLoss: (count) =>
      `{"level":"warn","time":"${new Date().toISOString()}","lines":${count},"message":"log lines were lost"}\n`,
  });
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: (error: unknown) => describeError(error) },
      messageKey: 'message',
    },
    lines,
  );
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    enabled: (at) => logger.isLevelEnabled(at),
    setLevel(next) {
      logger.level = next;
    },
    flush: () => lines.flush(),
  };
}

/** What is safe to log of an error, and of the errors that caused it. */
export function describeError(error: unknown, depth = 0): object {
  if (!(error instanceof Error)) return { message: String(error) };
  const { name, cause } = error;
  const code = 'code' in error ? { code: String(error.code) } : {};
  const deeper = cause instanceof Error && depth < MAX_CAUSES;
  return {
    name,
    ...code,
    message: messageOf(error),
    ...(deeper && { cause: describeError(cause, depth + 1) }),
  };
}

/** Several attempts that failed, such as one for each address of a name, have no message of their own. */
function messageOf(error: Error): string {
  if (error.message !== '' || !(error instanceof AggregateError)) return error.message;
  return error.errors.map((one) => (one instanceof Error ? one.message : String(one))).join('; ');
}
