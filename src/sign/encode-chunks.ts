import { createHash, hash } from 'node:crypto';
import { hmac } from './hmac.ts';
import type { HeadSignature } from './sign-head.ts';

/** Bytes of content in a chunk; S3 wants at least 8 KiB in all but the last. */
const CHUNK_BYTES = 65_536;

const EMPTY_HASH = hash('sha256', '', 'hex');
const SIGNATURE_EXTENSION = ';chunk-signature=';
const SIGNATURE_LENGTH = 64;
const CRLF = '\r\n';
const LINE_END = Buffer.from(CRLF);

/** How long the base64 of each checksum is: the trailer's length counts into Content-Length, before its value is known. */
const CHECKSUM_LENGTHS: Readonly<Record<string, number>> = {
  'x-amz-checksum-crc32': 8,
  'x-amz-checksum-crc32c': 8,
  'x-amz-checksum-crc64nvme': 12,
  'x-amz-checksum-sha1': 28,
  'x-amz-checksum-sha256': 44,
};

/** Length of the value of a trailer; undefined for what is not a checksum that S3 takes. */
export function trailerLength(name: string): number | undefined {
  return Object.hasOwn(CHECKSUM_LENGTHS, name) ? CHECKSUM_LENGTHS[name] : undefined;
}

/** How content goes out as `aws-chunked`. */
export interface Chunking {
  /** Whether each chunk is signed; without, only a trailer is the reason for chunks. */
  readonly signed: boolean;
  /** Name of a checksum that follows the content; null: none. */
  readonly trailer: string | null;
}

/** Content-Length of the whole. */
export function encodedLength(contentLength: number, { signed, trailer }: Chunking): number {
  const extension = signed ? SIGNATURE_EXTENSION.length + SIGNATURE_LENGTH : 0;
  const frame = (size: number): number => size.toString(16).length + extension + 2 * CRLF.length;
  const whole = Math.floor(contentLength / CHUNK_BYTES);
  const rest = contentLength % CHUNK_BYTES;
  let length = contentLength + whole * frame(CHUNK_BYTES) + (rest === 0 ? 0 : frame(rest)) + frame(0);
  if (trailer !== null) {
    length += trailer.length + 1 + (trailerLength(trailer) ?? 0) + CRLF.length;
    if (signed) length += TRAILER_SIGNATURE.length + SIGNATURE_LENGTH + CRLF.length;
  }
  return length;
}

const TRAILER_SIGNATURE = 'x-amz-trailer-signature:';

/**
 * Content as `aws-chunked`, in constant memory: each chunk's signature covers its bytes and the signature before it,
 * beginning with that of the head ("Transferring payload in multiple chunks" and "Trailing headers", Amazon S3 API
 * Reference).
 *
 * @param head the signature of the head; null with chunks that are not signed
 * @param trailerValue read once the content has passed
 */
export async function* encodeChunks(
  content: AsyncIterable<Buffer>,
  { trailer }: Chunking,
  head: HeadSignature | null,
  trailerValue: () => string,
): AsyncGenerator<Buffer, void, undefined> {
  let previous = head?.signature ?? '';
  const sign = (kind: string, hashes: string): string => {
    if (head === null) return '';
    const text = `AWS4-HMAC-SHA256-${kind}\n${head.date}\n${head.scope}\n${previous}\n${hashes}`;
    previous = hmac(head.key, text, 'hex');
    return previous;
  };
  const frame = (size: number, contentHash: string): string =>
    head === null
      ? `${size.toString(16)}${CRLF}`
      : `${size.toString(16)}${SIGNATURE_EXTENSION}${sign('PAYLOAD', `${EMPTY_HASH}\n${contentHash}`)}${CRLF}`;

  /** The pieces of the next chunk as they came: nothing is copied. */
  let pieces: Buffer[] = [];
  let size = 0;
  let contentHash = createHash('sha256');
  const take = (bytes: Buffer): void => {
    pieces.push(bytes);
    size += bytes.length;
    if (head !== null) contentHash.update(bytes);
  };
  /** A line, then content, then a line end. */
  const finishChunk = (): Buffer[] => {
    const line = frame(size, head === null ? '' : contentHash.digest('hex'));
    const chunk = [Buffer.from(line, 'latin1'), ...pieces, LINE_END];
    pieces = [];
    size = 0;
    contentHash = createHash('sha256');
    return chunk;
  };

  for await (const bytes of content) {
    let at = 0;
    while (bytes.length - at >= CHUNK_BYTES - size) {
      const end = at + CHUNK_BYTES - size;
      take(bytes.subarray(at, end));
      at = end;
      yield* finishChunk();
    }
    if (at < bytes.length) take(bytes.subarray(at));
  }
  if (size > 0) yield* finishChunk();

  let end = frame(0, EMPTY_HASH);
  if (trailer !== null) {
    const value = trailerValue();
    end += `${trailer}:${value}${CRLF}`;
    const signature = sign('TRAILER', hash('sha256', `${trailer}:${value}\n`, 'hex'));
    if (head !== null) end += `${TRAILER_SIGNATURE}${signature}${CRLF}`;
  }
  yield Buffer.from(end + CRLF, 'latin1');
}
