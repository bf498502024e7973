import { write } from 'node:fs';

/** Writes whole lines to a descriptor, in order, in the background. */
export interface LineWriter {
  /** Takes a line of ASCII with its end. Never waits, never throws. */
  write(line: string): void;
  /** Resolves when all lines taken are written or lost, and after a second at the latest. */
  flush(): Promise<void>;
}

export interface LineWriterOptions {
  readonly descriptor: number;
  /** Bytes written at once, unless a single line is longer. */
  readonly batchBytes: number;
  /** Bytes held while the reader is slow; what comes beyond is lost. */
  readonly heldBytes: number;
  /** The line that says how many were lost, written once there is room again. */
  readonly describeLoss: (lines: number) => string;
}

/** Milliseconds for which a line may wait for company. */
const COMPANY = 200;

/** Milliseconds before a reader that had no room is tried again: soon at first, for most are only a little behind. */
const FIRST_RETRY = 1;
const LAST_RETRY = 100;

/** Milliseconds for which a flush waits for a slow reader. */
const PATIENCE = 1_000;

interface Batch {
  text: string;
  bytes: number;
  /** Lines that are lost if this is. */
  lines: number;
}

/**
 * A log must not decide over the life of what it tells of: a reader that went away or does not read, or a disk that is
 * full, costs lines, never the process, its memory, or its end. Writing synchronously would wait for such a reader, and
 * so would a stream that is flushed at exit.
 */
export function createLineWriter(options: LineWriterOptions): LineWriter {
  const { descriptor, batchBytes, heldBytes } = options;
  const batches: Batch[] = [];
  const waiting = new Set<() => void>();
  let held = 0;
  let lost = 0;
  let busy = false;
  let gone = false;
  let company: NodeJS.Timeout | undefined;

  const take = (text: string, bytes: number, lines: number): void => {
    held += bytes;
    const last = batches[batches.length - 1];
    if (last === undefined || last.bytes + bytes > batchBytes) {
      batches.push({ text, bytes, lines });
      return;
    }
    last.text += text;
    last.bytes += bytes;
    last.lines += lines;
  };

  const next = (): void => {
    clearTimeout(company);
    company = undefined;
    const batch = batches.shift();
    busy = batch !== undefined;
    if (batch !== undefined) {
      send(Buffer.from(batch.text, 'latin1'), batch.lines, FIRST_RETRY);
      return;
    }
    for (const resolve of waiting) resolve();
    waiting.clear();
  };

  const send = (bytes: Buffer, lines: number, retry: number): void => {
    write(descriptor, bytes, (error, written) => {
      if (error === null) {
        held -= written;
        if (written < bytes.length) send(bytes.subarray(written), lines, FIRST_RETRY);
        else next();
      } else if (error.code === 'EAGAIN') {
        setTimeout(send, retry, bytes, lines, Math.min(retry * 2, LAST_RETRY)).unref();
      } else {
        held -= bytes.length;
        lost += lines;
        gone ||= error.code === 'EPIPE' || error.code === 'EBADF';
        if (gone) batches.length = 0;
        next();
      }
    });
  };

  return {
    write(line) {
      if (gone) return;
      const bytes = line.length;
      if (held + bytes > heldBytes) {
        lost += 1;
        return;
      }
      if (lost > 0) {
        const loss = options.describeLoss(lost);
        take(loss, loss.length, lost);
        lost = 0;
      }
      take(line, bytes, 1);
      if (busy) return;
      if (held >= batchBytes) next();
      else company ??= setTimeout(next, COMPANY).unref();
    },
    flush: () =>
      new Promise((resolve) => {
        const patience = setTimeout(resolve, PATIENCE);
        waiting.add(() => {
          clearTimeout(patience);
          resolve();
        });
        if (!busy) next();
      }),
  };
}
