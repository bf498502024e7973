import type { ProcessLogger } from '../../src/core/ports.ts';

/** A log line as it would be written. */
export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

/** A logger of all levels that adds to these lines, and tells when it has. */
export function recordingLogger(lines: LogLine[], onLine = (): void => undefined): ProcessLogger {
  const write = (level: string) => (fields: object, message: string) => {
    lines.push({ ...fields, level, message });
    onLine();
  };
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    enabled: () => true,
    setLevel: () => undefined,
    flush: () => Promise.resolve(),
  };
}
