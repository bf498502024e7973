import { parentPort, workerData } from 'node:worker_threads';
import { accessClaims, signToken } from '../../test/support/token-factory.ts';
import type { SigningTask } from './tokens.ts';

// A thread that signs its share: a signature takes most of a millisecond, and a hundred thousand are wanted.
const { key, subject, first, count } = workerData as SigningTask;
const tokens = Array.from({ length: count }, (_, i) =>
  signToken(key, accessClaims({ ...subject, username: `user-${first + i}` })),
);
parentPort?.postMessage(tokens);
