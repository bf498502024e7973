import { deny, RefusalError } from '../core/refusal.ts';
import { trailerLength } from './encode-chunks.ts';

/** What is announced of an `aws-chunked` body. */
export interface ChunkedBody {
  /** Bytes of content; -1 when the client did not say. */
  readonly decodedLength: number;
  /** The header that follows the content; null: none. */
  readonly trailer: string | null;
}

/**
 * Takes `aws-chunked` framing off ("Signature calculations for the Authorization header: transferring payload in
 * multiple chunks", Amazon S3 API Reference). The client's chunk signatures are made with a key that means nothing here:
 * they are left out, the content is signed anew. What is not as announced throws RefusalError SIGN_CHUNKS_INVALID.
 */
export interface ChunkDecoder {
  /** @returns the content in these bytes */
  push(bytes: Buffer): Buffer[];
  /** To be called when the body has ended. */
  end(): void;
  /** Value of the announced trailer, once ended; empty when none was announced. */
  readonly trailerValue: string;
}

/** Longest line between chunks; AWS's own are half as long. */
const LONGEST_LINE = 256;

const SIZE_LINE = /^([0-9A-Fa-f]{1,8})(?:;chunk-signature=[0-9a-f]{64})?$/;
/** A checksum in base64, and white space around it as header fields may have. */
const TRAILER_VALUE = /^[ \t]*([A-Za-z0-9+/]+={0,2})[ \t]*$/;
const CR = 0x0d;
const LF = 0x0a;

export function createChunkDecoder({ decodedLength, trailer }: ChunkedBody): ChunkDecoder {
  let state: 'size' | 'content' | 'contentEnd' | 'trailer' | 'end' = 'size';
  let line = '';
  let left = 0;
  let total = 0;
  let trailerValue: string | null = null;

  const readSize = (text: string): void => {
    const size = SIZE_LINE.exec(text)?.[1];
    if (size === undefined) throw invalid();
    left = Number.parseInt(size, 16);
    total += left;
    if (decodedLength >= 0 && total > decodedLength) throw invalid();
    state = left === 0 ? 'trailer' : 'content';
  };

  const readTrailer = (text: string): void => {
    if (text === '') {
      state = 'end';
    } else if (!text.startsWith('x-amz-trailer-signature:')) {
      const colon = text.indexOf(':');
      if (trailerValue !== null || text.slice(0, colon).toLowerCase() !== trailer) throw invalid();
      // It goes into a header, or into a body whose length has been said.
      const value = TRAILER_VALUE.exec(text.slice(colon + 1))?.[1];
      if (value === undefined || value.length !== trailerLength(trailer)) throw invalid();
      trailerValue = value;
    }
  };

  const readLine = (text: string): void => {
    if (state === 'size') readSize(text);
    else if (state === 'trailer') readTrailer(text);
    else if (state === 'contentEnd' && text === '') state = 'size';
    else throw invalid();
  };

  return {
    push(bytes) {
      const content: Buffer[] = [];
      let at = 0;
      while (at < bytes.length) {
        if (state === 'content') {
          const part = bytes.subarray(at, at + left);
          at += part.length;
          left -= part.length;
          if (left === 0) state = 'contentEnd';
          content.push(part);
          continue;
        }
        const end = bytes.indexOf(LF, at);
        line += bytes.toString('latin1', at, end < 0 ? bytes.length : end);
        if (line.length > LONGEST_LINE) throw invalid();
        if (end < 0) break;
        at = end + 1;
        if (line.charCodeAt(line.length - 1) !== CR) throw invalid();
        readLine(line.slice(0, -1));
        line = '';
      }
      return content;
    },
    end() {
      // Some clients leave out the empty line after the last chunk.
      if (line !== '' || (state !== 'end' && state !== 'trailer')) throw invalid();
      if (trailer !== null && trailerValue === null) throw invalid();
      if (decodedLength >= 0 && total !== decodedLength) throw invalid();
    },
    get trailerValue() {
      return trailerValue ?? '';
    },
  };
}

/**
 * The content of a body as it streams. The last piece is held back until all is known to be well-formed, so that no
 * upstream ever has the whole of a body that was not.
 */
export async function* decodeChunks(
  body: AsyncIterable<Buffer>,
  decoder: ChunkDecoder,
): AsyncGenerator<Buffer, void, undefined> {
  let last: Buffer | null = null;
  for await (const bytes of body) {
    for (const part of decoder.push(bytes)) {
      if (last !== null) yield last;
      last = part;
    }
  }
  decoder.end();
  if (last !== null) yield last;
}

function invalid(): RefusalError {
  return new RefusalError(deny('SIGN_CHUNKS_INVALID'));
}
