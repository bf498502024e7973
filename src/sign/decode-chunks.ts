import type { Readable } from 'node:stream';
import { deny, RefusalError } from '../core/refusal.ts';

/** Longest line between chunks; AWS's own are half as long. */
const LONGEST_LINE = 256;

const SIZE_LINE = /^([0-9A-Fa-f]{1,8})(?:;chunk-signature=[0-9a-f]{64})?$/;
const CR = 0x0d;
const LF = 0x0a;

export interface ChunkedBody {
  /** Bytes of content; -1 when the client did not say. */
  readonly decodedLength: number;
  /** The header that was announced to follow the content; null: none. */
  readonly trailer: string | null;
}

/**
 * The content of an `aws-chunked` body ("Signature calculations for the Authorization header: transferring payload in
 * multiple chunks", Amazon S3 API Reference). The client's chunk signatures are made with a key that means nothing
 * here: they are left out, the content is signed anew. The last piece is held back until all is known to be well-formed,
 * so that no upstream ever has the whole of a body that was not.
 *
 * @param onTrailer gets the value of the announced trailer
 * @throws RefusalError SIGN_CHUNKS_INVALID where framing, length or trailer are not as announced
 */
export async function* decodeChunks(
  source: Readable,
  { decodedLength, trailer }: ChunkedBody,
  onTrailer: (value: string) => void,
): AsyncGenerator<Buffer, void, undefined> {
  let state = 'size' as 'size' | 'content' | 'contentEnd' | 'trailer' | 'end';
  let line = '';
  let left = 0;
  let total = 0;
  let trailerSeen = false;
  let last: Buffer | null = null;

  const readLine = (text: string): void => {
    if (state === 'size') {
      const size = SIZE_LINE.exec(text)?.[1];
      if (size === undefined) throw invalid();
      left = Number.parseInt(size, 16);
      total += left;
      if (decodedLength >= 0 && total > decodedLength) throw invalid();
      state = left === 0 ? 'trailer' : 'content';
    } else if (state === 'contentEnd') {
      if (text !== '') throw invalid();
      state = 'size';
    } else if (text === '') {
      state = 'end';
    } else if (!text.startsWith('x-amz-trailer-signature:')) {
      const colon = text.indexOf(':');
      if (trailerSeen || text.slice(0, colon).toLowerCase() !== trailer) throw invalid();
      trailerSeen = true;
      onTrailer(text.slice(colon + 1).trim());
    }
  };

  for await (const bytes of source.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    let at = 0;
    while (at < bytes.length) {
      if (state === 'end') throw invalid();
      if (state === 'content') {
        const part = bytes.subarray(at, at + left);
        at += part.length;
        left -= part.length;
        if (left === 0) state = 'contentEnd';
        if (last !== null) yield last;
        last = part;
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
  }
  // Some clients leave out the empty line after the last chunk.
  if (state !== 'end' && !(state === 'trailer' && line === '')) throw invalid();
  if (trailer !== null && !trailerSeen) throw invalid();
  if (decodedLength >= 0 && total !== decodedLength) throw invalid();
  if (last !== null) yield last;
}

function invalid(): RefusalError {
  return new RefusalError(deny('SIGN_CHUNKS_INVALID'));
}
