import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { Clock } from '../core/ports.ts';
import { deny, fault, type Refusal, RefusalError } from '../core/refusal.ts';

/** A body in memory, with its hash. */
export interface HeldBody {
  readonly bytes: Buffer;
  /** SHA-256 in hexadecimal. */
  readonly hash: string;
}

/** Holds bodies in memory to hash them, within a limit for each and a limit for all. */
export interface BodyHolder {
  hold(source: Readable, options: HoldOptions): Promise<HeldBody | Refusal>;
  /** Largest body held. */
  readonly bufferBytes: number;
  /** Bytes held now, or promised to bodies on their way. */
  readonly held: number;
}

export interface HoldOptions {
  /** As declared; -1 when it is not known. */
  readonly length: number;
  /** The route's own limit; null: none. */
  readonly bodyBytes: number | null;
  /** Milliseconds without a byte after which the request is given up. */
  readonly idle: number;
  /** Is given the function that gives the memory back. */
  readonly onRelease: (release: () => void) => void;
}

export interface BodyHolderOptions {
  readonly clock: Clock;
  /** Largest body held. */
  readonly bufferBytes: number;
  /** What all held bodies may take together. */
  readonly bufferTotalBytes: number;
}

export function createBodyHolder({ clock, bufferBytes, bufferTotalBytes }: BodyHolderOptions): BodyHolder {
  let held = 0;

  return {
    bufferBytes,
    get held() {
      return held;
    },
    hold(source, { length, bodyBytes, idle, onRelease }) {
      const tooLarge = (size: number): Refusal | null => {
        if (bodyBytes !== null && size > bodyBytes) return deny('LIMIT_BODY');
        return size > bufferBytes ? deny('SIGN_BODY_TOO_LARGE') : null;
      };
      const refused = tooLarge(length);
      if (refused !== null) return Promise.resolve(refused);
      let share = 0;
      const take = (bytes: number): boolean => {
        if (held + bytes > bufferTotalBytes) return false;
        held += bytes;
        share += bytes;
        return true;
      };
      const release = (): void => {
        held -= share;
        share = 0;
      };
      // A declared length is reserved at once: what has begun to arrive must not fail for others' sake.
      if (!take(Math.max(0, length))) return Promise.resolve(fault('LIMIT_BUFFER'));
      onRelease(release);

      return new Promise((resolve) => {
        const hash = createHash('sha256');
        const chunks: Buffer[] = [];
        let size = 0;
        let movedAt = clock.monotonic();
        const watch = (after: number): ReturnType<Clock['after']> =>
          clock.after(after, () => {
            const rest = movedAt + idle - clock.monotonic();
            if (rest > 0) timer = watch(rest);
            else settle(deny('REQUEST_TIMEOUT'));
          });
        let timer = watch(idle);

        const settle = (result: HeldBody | Refusal): void => {
          timer.cancel();
          source.off('data', onData).off('end', onEnd).off('error', onError).off('close', onClose);
          // A late error of what is given up must not end the process.
          source.on('error', () => undefined);
          if ('code' in result) {
            source.pause();
            release();
          }
          resolve(result);
        };
        const onData = (chunk: Buffer): void => {
          movedAt = clock.monotonic();
          size += chunk.length;
          const over = tooLarge(size);
          if (over !== null) return settle(over);
          if (size > share && !take(size - share)) return settle(fault('LIMIT_BUFFER'));
          hash.update(chunk);
          chunks.push(chunk);
        };
        const onEnd = (): void => {
          const bytes = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size);
          settle({ bytes, hash: hash.digest('hex') });
        };
        const onError = (error: unknown): void =>
          settle(error instanceof RefusalError ? error.refusal : deny('REQUEST_MALFORMED', { cause: error }));
        const onClose = (): void => settle(deny('REQUEST_MALFORMED'));

        if (source.destroyed) return onClose();
        source.on('data', onData).on('end', onEnd).on('error', onError).on('close', onClose);
        return undefined;
      });
    },
  };
}
