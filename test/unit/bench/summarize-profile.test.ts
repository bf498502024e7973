import { expect, it } from 'vitest';
import {
  type CpuProfile,
  summarizeAllocations,
  summarizeProfile,
} from '../../../bench/profile/summarize-profile.ts';

const frame = (functionName: string, url: string) => ({ functionName, url, lineNumber: 9 });
const node = (id: number, functionName: string, url: string, children: readonly number[] = []) => ({
  id,
  callFrame: frame(functionName, url),
  children,
});

/*
 * root - idle
 *      - parse (Node) - run (dist/send) - write (jose) - writev (native)
 *                                       - writev (native)
 *      - gc
 */
const profile: CpuProfile = {
  nodes: [
    node(1, '(root)', '', [2, 3, 8]),
    node(2, '(idle)', ''),
    node(3, 'parse', 'node:http', [4]),
    node(4, 'run', 'file:///app/dist/send/send-stage.js', [5, 7]),
    node(5, 'write', '/app/node_modules/jose/lib/client.js', [6]),
    node(6, 'writev', ''),
    node(7, 'writev', ''),
    node(8, '(garbage collector)', ''),
  ],
  startTime: 1_000,
  //        before, then one each, then after
  samples: [4, 2, 3, 4, 5, 6, 6, 7, 8, 3],
  timeDeltas: [10, 10, 10, 10, 10, 10, 10, 10, 10, 100],
};
const window = { from: 1_015, to: 1_095 };

it('ranks functions by the time in themselves, within the window and without waiting', () => {
  const { functions } = summarizeProfile(profile, window);
  expect(functions.map(({ what, share }) => [what, Math.round(share * 70)])).toEqual([
    ['writev', 30],
    ['parse node:http:10', 10],
    ['run dist/send/send-stage.js:10', 10],
    ['write jose/lib/client.js:10', 10],
    ['(garbage collector)', 10],
  ]);
});

it('books what Node and the system do on whoever had them do it', () => {
  const { sources } = summarizeProfile(profile, window);
  expect(Object.fromEntries(sources.map(({ what, share }) => [what, Math.round(share * 70)]))).toEqual({
    jose: 30,
    'dist/send': 20,
    Node: 10,
    '(garbage collector)': 10,
  });
});

it('books what was allocated alike', () => {
  const leaf = (functionName: string, url: string, selfSize: number) => ({
    callFrame: frame(functionName, url),
    selfSize,
    children: [],
  });
  const { functions, sources, total } = summarizeAllocations({
    head: {
      callFrame: frame('(root)', ''),
      selfSize: 0,
      children: [
        leaf('(GC)', '', 10),
        {
          ...leaf('run', 'file:///app/dist/send/send-stage.js', 20),
          children: [leaf('slice', '', 30), leaf('write', '/app/node_modules/@smithy/core/client.js', 40)],
        },
      ],
    },
  });
  expect(total).toBe(100);
  expect(functions.map(({ what }) => what)).toEqual([
    'write @smithy/core/client.js:10',
    'slice',
    'run dist/send/send-stage.js:10',
    '(GC)',
  ]);
  expect(Object.fromEntries(sources.map(({ what, share }) => [what, share]))).toEqual({
    'dist/send': 0.5,
    '@smithy/core': 0.4,
    '(GC)': 0.1,
  });
});
