import pino from 'pino';
import type { LogLevel, ProcessLogger } from '../core/ports.ts';

/** Milliseconds for which a line may wait for company. */
const FLUSH_INTERVAL = 200;

/**
 * Makes the logger: JSON lines on standard output, written in batches. Of an error only name, code and message are
 * logged; its other properties may hold what was sent.
 */
export function createLogger(level: LogLevel, descriptor = 1): ProcessLogger {
  const destination = pino.destination({ dest: descriptor, sync: false, minLength: 8_192 });
  // A reader that went away, or a full disk, must not end the proxy: its log is lost, its work goes on.
  destination.on('error', () => undefined);
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError },
      messageKey: 'message',
    },
    destination,
  );
  setInterval(() => destination.flush(), FLUSH_INTERVAL).unref();
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    enabled: (at) => logger.isLevelEnabled(at),
    setLevel(next) {
      logger.level = next;
    },
    flush() {
      try {
        destination.flushSync();
      } catch {
        // Nothing is left to tell it to.
      }
    },
  };
}

/** What is safe to log of an error, and of the error that caused it. */
export function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { message: String(error) };
  const { name, message } = error;
  const code = 'code' in error ? { code: String(error.code) } : {};
  const cause = error.cause instanceof Error ? { cause: describeError(error.cause) } : {};
  return { name, ...code, message, ...cause };
}
