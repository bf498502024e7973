import type { ToPrimary, ToWorker } from '../../src/listen/worker-messages.ts';

// Runs in place of a worker and does as WORKER_BEHAVIOUR says; what a real one does is for the end-to-end tests.
//   good        answers everything
//   stuck       listens, and then answers nothing
//   unwilling   refuses every configuration with more than one route
//   failing     cannot listen
//   dying       ends before it listens
const behaviour = process.env['WORKER_BEHAVIOUR'] ?? 'good';
const tell = (message: ToPrimary): void => void process.send?.(message);

const counter = (value: number): object => ({
  name: 'answers',
  help: 'x',
  type: 'counter',
  aggregator: 'sum',
  values: [{ labels: {}, value }],
});
const gauge = (value: number): object => ({ ...counter(value), name: 'open', type: 'gauge' });
let collections = 0;

process.on('message', (message: ToWorker) => {
  if (message.kind === 'start') {
    if (behaviour === 'dying') process.exit(7);
    if (behaviour === 'failing') {
      process.send?.({ kind: 'failed', reason: 'no port for me' } satisfies ToPrimary, () => process.exit(1));
      return;
    }
    tell({ kind: 'listening', port: 4711 });
    tell({ kind: 'ready' });
    return;
  }
  if (behaviour === 'stuck' && (collections > 0 || message.kind !== 'collect')) return;
  if (message.kind === 'collect') {
    collections += 1;
    tell({ kind: 'collected', id: message.id, metrics: [counter(10 * collections), gauge(1)] });
  } else if (message.kind === 'reload') {
    const refused =
      behaviour === 'unwilling' && message.config.routes.length > 1 ? 'too many routes for me' : null;
    tell({ kind: 'reloaded', id: message.id, refused });
  } else if (message.kind === 'stop') {
    process.exit(0);
  }
});
tell({ kind: 'online' });
