import { createLogger } from '../../src/observe/logger.ts';

// Logs so many lines to its standard output, which other processes write to as well, and ends when all are written.
const logger = createLogger('info', { shared: true });
const count = Number(process.argv[2]);
for (let i = 0; i < count; i += 1) {
  logger.info({ worker: process.pid, status: i, path: `/${'x'.repeat(500 + (i % 1_000))}` }, 'request');
}
// A flush gives up on a reader that is slow.
for (let attempts = 0; attempts < 60; attempts += 1) await logger.flush();
