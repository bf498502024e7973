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
  readonly bytes: Buffer;
  /** Lines that are lost if this is. */
  readonly lines: number;
}

/**
 * A log must not decide over the life of what it tells of: a reader that went away or does not read, or a disk that is
 * full, costs lines, never the process, its memory, or its end. Writing synchronously would wait for such a reader, and
 * so would a stream that is flushed at exit.
 */
export function createLineWriter(options: LineWriterOptions): LineWriter {
  const { descriptor, batchBytes, heldBytes } = options;
  /** Full ones, which wait for those before them to be written. */
  const batches: Batch[] = [];
  const waiting = new Set<() => void>();
  /** The batch that is being filled. */
  let text = '';
  let lines = 0;
  let held = 0;
  let lost = 0;
  let busy = false;
  let gone = false;
  let company: NodeJS.Timeout | undefined;

  /**
   * To V8 a line is a tree of its pieces, several times its size, until it is made into bytes: what has to wait does so as bytes.
   */
  const seal = (): void => {
    if (lines === 0) return;
    batches.push({ bytes: Buffer.from(text, 'latin1'), lines });
    text = '';
    lines = 0;
  };

  const take = (more: string, count: number): void => {
    held += more.length;
    if (text.length + more.length > batchBytes) seal();
    text += more;
    lines += count;
  };

  const next = (): void => {
    clearTimeout(company);
    company = undefined;
    if (batches.length === 0) seal();
    const batch = batches.shift();
    busy = batch !== undefined;
    if (batch !== undefined) {
      send(batch.bytes, batch.lines, FIRST_RETRY);
      return;
    }
    for (const resolve of waiting) resolve();
    waiting.clear();
  };

  const send = (bytes: Buffer, count: number, retry: number): void => {
    write(descriptor, bytes, (error, written) => {
      if (error === null) {
        held -= written;
        if (written < bytes.length) send(bytes.subarray(written), count, FIRST_RETRY);
        else next();
      } else if (error.code === 'EAGAIN') {
        setTimeout(send, retry, bytes, count, Math.min(retry * 2, LAST_RETRY)).unref();
      } else {
        held -= bytes.length;
        lost += count;
        gone ||= error.code === 'EPIPE' || error.code === 'EBADF';
        if (gone) {
          batches.length = 0;
          text = '';
          lines = 0;
        }
        next();
      }
    });
  };

  return {
    write(line) {
      if (gone) return;
      if (held + line.length > heldBytes) {
        lost += 1;
        return;
      }
      if (lost > 0) {
        take(options.describeLoss(lost), lost);
        lost = 0;
      }
      take(line, 1);
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
