import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { connectionsWithin, descriptorLimit } from '../../../src/listen/descriptors.ts';

it.each([
  [1_048_576, 524_256],
  [1_024, 480],
  [66, 1],
  [64, 1],
  [10, 1],
  [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
])('%i descriptors are enough for %i connections', (descriptors, connections) => {
  expect(connectionsWithin(descriptors)).toBe(connections);
});

it('the limit of this process is more than it has open', () => {
  expect(descriptorLimit()).toBeGreaterThan(readdirSync('/proc/self/fd').length);
});
