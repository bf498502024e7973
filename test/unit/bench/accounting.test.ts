import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { parseBusyTime, parseMemory, parseStat, readAccount } from '../../../bench/measure/accounting.ts';

it.each([
  ['nginx', '12 (nginx) S 7 12 12 0 -1 4194560 100 200 0 0 31 11 5 2 20 0 1 0 100 0 0'],
  ['a name like the rest of the line', '12 (a) S 99 (b)) S 7 12 12 0 -1 0 1 2 0 0 31 11 5 2 20 0 1 0 1 0 0'],
])('reads the line of %s', (_, line) => {
  expect(parseStat(line)).toEqual({ parent: 7, ticks: 42, childTicks: 7 });
});

it('adds up what cores did for anybody, without waiting, in microseconds', () => {
  const stat = [
    'cpu  9 9 9 9 9 9 9 9 0 0',
    'cpu0 1 2 3 1000 500 4 5 6 7 0',
    'cpu1 10 0 0 1000 0 0 0 0 0 0',
    'cpu10 77 0 0 0 0 0 0 0 0 0',
  ].join('\n');
  expect(parseBusyTime(stat, [0])).toBe(210_000);
  expect(parseBusyTime(stat, [0, 1])).toBe(310_000);
});

it('reads memory in bytes', () => {
  const status = 'Name:\tnode\nVmPeak:\t  999 kB\nVmHWM:\t  2048 kB\nVmRSS:\t  1024 kB\n';
  expect(parseMemory(status, 'VmHWM')).toBe(2_097_152);
  expect(parseMemory(status, 'VmRSS')).toBe(1_048_576);
});

it('counts the processes that a process has started', async () => {
  const alone = readAccount(process.pid);
  const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  await once(child, 'spawn');
  const together = readAccount(process.pid);
  const own = readAccount(child.pid ?? 0);
  child.stdin.end();
  await once(child, 'exit');
  expect(own.memory).toBeGreaterThan(0);
  expect(own.peakMemory).toBeGreaterThanOrEqual(own.memory);
  expect(together.peakMemory - alone.peakMemory).toBeGreaterThan(0);
  expect(together.cpu).toBeGreaterThanOrEqual(alone.cpu);
});

it('is all zero for a process that is not there', () => {
  expect(readAccount(2 ** 30)).toEqual({ cpu: 0, memory: 0, peakMemory: 0 });
});
