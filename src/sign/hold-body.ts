import { createHash, type Hash, hash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { Clock } from '../core/ports.ts';
import { deny, fault, type Refusal, RefusalError } from '../core/refusal.ts';
import type { ChunkDecoder } from './decode-chunks.ts';

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
  /** Bytes of content as declared; -1 when it is not known. */
  readonly length: number;
  /** The route's own limit; null: none. */
  readonly bodyBytes: number | null;
  /** Takes the framing off; null: there is none. */
  readonly decoder: ChunkDecoder | null;
  /** Is given the function that gives the memory back. */
  readonly onRelease: (release: () => void) => void;
}

export interface BodyHolderOptions {
  readonly clock: Clock;
  /** Largest body held. */
  readonly bufferBytes: number;
  /** What all held bodies may take together. */
  readonly bufferTotalBytes: number;
  /** Milliseconds without a byte after which a request is given up. */
  readonly idle: number;
}

export function createBodyHolder(options: BodyHolderOptions): BodyHolder {
  const { clock, bufferBytes, bufferTotalBytes, idle } = options;
  let held = 0;

  return {
    bufferBytes,
    get held() {
      return held;
    },
    hold(source, { length, bodyBytes, decoder, onRelease }) {
      let share = 0;
      /** Makes room for a body of so many bytes. */
      const admit = (size: number): Refusal | null => {
        if (bodyBytes !== null && size > bodyBytes) return deny('LIMIT_BODY');
        if (size > bufferBytes) return deny('SIGN_BODY_TOO_LARGE');
        if (size <= share) return null;
        if (held + size - share > bufferTotalBytes) return fault('LIMIT_BUFFER');
        held += size - share;
        share = size;
        return null;
      };
      const release = (): void => {
        held -= share;
        share = 0;
      };
      // A declared length is reserved at once: what has begun to arrive must not fail for others' sake.
      const refusal = admit(length);
      if (refusal !== null) return Promise.resolve(refusal);
      onRelease(release);
      return collect(source, { decoder, admit, release, clock, idle });
    },
  };
}

interface CollectOptions {
  readonly decoder: ChunkDecoder | null;
  /** Says before each piece whether the body may grow to so many bytes. */
  readonly admit: (size: number) => Refusal | null;
  /** Gives the room back. */
  readonly release: () => void;
  readonly clock: Clock;
  readonly idle: number;
}

function collect(source: Readable, options: CollectOptions): Promise<HeldBody | Refusal> {
  const { decoder, admit, release, clock, idle } = options;
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    /** Null for what came in one piece, as most bodies do: it is hashed in one call, which leaves half the garbage behind. */
    let hashing: Hash | null = null;
    let size = 0;
    const timer = clock.after(idle, () => settle(deny('REQUEST_TIMEOUT')));

    const settle = (result: HeldBody | Refusal): void => {
      timer.cancel();
      source.off('data', onData).off('end', onEnd).off('error', onError).off('close', onClose);
      // A late error of what was given up must not end the process.
      source.on('error', () => undefined);
      if ('code' in result) {
        source.pause();
        release();
      }
      resolve(result);
    };
    const take = (content: Buffer): void => {
      size += content.length;
      const refusal = admit(size);
      if (refusal !== null) throw new RefusalError(refusal);
      const [first] = chunks;
      if (first !== undefined) {
        hashing ??= createHash('sha256').update(first);
        hashing.update(content);
      }
      chunks.push(content);
    };
    const onData = (bytes: Buffer): void => {
      timer.restart();
      try {
        if (decoder === null) take(bytes);
        else for (const content of decoder.push(bytes)) take(content);
      } catch (error) {
        onError(error);
      }
    };
    const onEnd = (): void => {
      try {
        decoder?.end();
        const bytes = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size);
        settle({ bytes, hash: hashing?.digest('hex') ?? hash('sha256', bytes, 'hex') });
      } catch (error) {
        onError(error);
      }
    };
    const onError = (error: unknown): void =>
      settle(error instanceof RefusalError ? error.refusal : deny('REQUEST_MALFORMED', { cause: error }));
    const onClose = (): void => settle(deny('REQUEST_MALFORMED'));

    source.on('data', onData).on('end', onEnd).on('error', onError).on('close', onClose);
    if (source.destroyed) onClose();
  });
}
