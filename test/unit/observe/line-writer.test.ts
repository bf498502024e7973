import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLineWriter, type LineWriter } from '../../../src/observe/line-writer.ts';
import { drain, openPipe } from '../../support/pipe.ts';

let folder: string;
let opened: number[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'line-writer-test-'));
  opened = [];
});
afterEach(() => {
  for (const descriptor of opened) closeSync(descriptor);
  rmSync(folder, { recursive: true });
});

function open(path: string, flags: number): number {
  const descriptor = openSync(path, flags);
  opened.push(descriptor);
  return descriptor;
}

function pipe(): { readonly reader: number; readonly writer: number } {
  const ends = openPipe(folder);
  opened.push(ends.reader, ends.writer);
  return ends;
}

const losses: number[] = [];
function writerTo(descriptor: number, limits: { batchBytes?: number; heldBytes?: number } = {}): LineWriter {
  losses.length = 0;
  return createLineWriter({
    descriptor,
    batchBytes: 4_096,
    heldBytes: 1_048_576,
    ...limits,
    describeLoss(lines) {
      losses.push(lines);
      return `lost ${lines}\n`;
    },
  });
}

describe('a writer of lines', () => {
  it('writes them whole and in order, whatever their size, once flushed', async () => {
    const path = join(folder, 'log');
    const writer = writerTo(open(path, constants.O_WRONLY | constants.O_CREAT), { batchBytes: 100 });
    const lines = Array.from({ length: 500 }, (_, i) => `${i} ${'x'.repeat(i)}\n`);
    for (const line of lines) writer.write(line);
    await writer.flush();
    expect(readFileSync(path, 'utf8')).toBe(lines.join(''));
    expect(losses).toEqual([]);
  });

  it('does not keep a single line for long', async () => {
    const { reader, writer } = pipe();
    writerTo(writer).write('one\n');
    let seen = '';
    while (seen === '') {
      await new Promise((resolve) => setImmediate(resolve));
      seen = drain(reader);
    }
    expect(seen).toBe('one\n');
  });

  it('resolves a flush of nothing', async () => {
    const { writer } = pipe();
    await writerTo(writer).flush();
  });

  it('holds what a slow reader leaves up to its bound, then counts what is lost, and says so when there is room', async () => {
    const { reader, writer } = pipe();
    const log = writerTo(writer, { heldBytes: 200_000 });
    const sent = 2_000;
    for (let i = 0; i < sent; i += 1) log.write(`${String(i).padEnd(199)}\n`);
    // Gives up waiting, as long as nothing is read.
    await log.flush();

    let read = '';
    while (!read.includes('after\n')) {
      read += drain(reader);
      if (losses.length === 0 && read.length > 150_000) log.write('after\n');
      await new Promise((resolve) => setImmediate(resolve));
    }
    const lines = read.trimEnd().split('\n');
    const numbers = lines.slice(0, -2).map(Number);
    expect(numbers).toEqual(numbers.map((_, index) => index));
    expect(lines.slice(-2)).toEqual([`lost ${sent - numbers.length}`, 'after']);
    expect(losses).toEqual([sent - numbers.length]);
    expect(numbers.length).toBeGreaterThan(900);
    expect(numbers.length).toBeLessThan(1_400);
  });

  it('goes on after a disk that was full, counting what it could not write', async () => {
    const writer = writerTo(open('/dev/full', constants.O_WRONLY));
    writer.write('one\n');
    writer.write('two\n');
    await writer.flush();
    writer.write('three\n');
    await writer.flush();
    writer.write('four\n');
    expect(losses).toEqual([2, 3]);
    await writer.flush();
  });

  it('gives up on a reader that is gone', async () => {
    const { reader, writer } = pipe();
    const log = writerTo(writer);
    closeSync(reader);
    opened.shift();
    for (let i = 0; i < 100; i += 1) log.write(`${'x'.repeat(1_000)}\n`);
    await log.flush();
    log.write('nobody is there\n');
    await log.flush();
    expect(losses).toEqual([]);
  });

  it('gives up on a descriptor that is closed', async () => {
    const { writer } = pipe();
    closeSync(writer);
    opened.pop();
    const log = writerTo(writer);
    log.write('one\n');
    await log.flush();
    log.write('two\n');
    await log.flush();
    expect(losses).toEqual([]);
  });
});
