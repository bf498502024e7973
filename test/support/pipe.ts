import { execFileSync } from 'node:child_process';
import { constants, openSync, readSync } from 'node:fs';
import { join } from 'node:path';

/** Both ends of a pipe, as descriptors that the caller closes; neither waits for the other. */
export function openPipe(folder: string): { readonly reader: number; readonly writer: number } {
  const path = join(folder, 'fifo');
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { reader, writer: openSync(path, constants.O_WRONLY | constants.O_NONBLOCK) };
}

/** What is in the pipe now, up to so many bytes. */
export function drain(reader: number, bytes = 1_048_576): string {
  const buffer = Buffer.alloc(bytes);
  try {
    return buffer.toString('utf8', 0, readSync(reader, buffer));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return '';
    throw error;
  }
}
