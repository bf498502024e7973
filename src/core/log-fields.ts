/**
 * Every field that a line of log may have beside `level`, `time` and `message`; `docs/logs.md` is held equal to it by a
 * test. A field that may hold what a client sent has no place here, unless it is part of the canonical request.
 */
export const LOG_FIELDS = [
  // One request.
  'requestId',
  'traceId',
  'method',
  'host',
  'path',
  'status',
  'ms',
  'upstreamMs',
  'bytes',
  'route',
  'decision',
  'code',
  'shadow',
  'condition',
  'err',
  'subject',
  'clientId',
  'pool',
  'client',
  'peer',
  'target',
  // The service.
  'proxy',
  'admin',
  'source',
  'routes',
  'problems',
  'unenforced',
  'keys',
  'folder',
  'url',
  'kids',
  'failures',
  'worker',
  'workers',
  'exitCode',
  'signal',
  'lines',
  'connections',
] as const;

/** What may be logged. Of an error under `err` only what is safe to log is kept. */
export type LogFields = Partial<Record<(typeof LOG_FIELDS)[number], unknown>>;
