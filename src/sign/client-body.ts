import { headerValue } from '../core/headers.ts';
import { deny, type Refusal } from '../core/refusal.ts';
import type { ChunkedBody } from './decode-chunks.ts';
import { trailerLength } from './encode-chunks.ts';

/** What a client says of its body, none of it believed yet. */
export interface ClientBody {
  /** Bytes of content; -1 when it does not say. */
  readonly length: number;
  /** SHA-256 of the content in hexadecimal; null when it does not say. */
  readonly claimedHash: string | null;
  /** How the content is framed as `aws-chunked`; null: it is not. */
  readonly chunks: ChunkedBody | null;
}

/**
 * @param headers as the client sent them
 * @param contentLength of the body as it arrives; -1 when it is not known
 */
export function readClientBody(headers: readonly string[], contentLength: number): ClientBody | Refusal {
  const claimed = headerValue(headers, 'x-amz-content-sha256') ?? '';
  const encoding = headerValue(headers, 'content-encoding') ?? '';
  if (!claimed.startsWith('STREAMING-') && !isAwsChunked(encoding)) {
    return {
      length: contentLength,
      claimedHash: /^[0-9a-f]{64}$/.test(claimed) ? claimed : null,
      chunks: null,
    };
  }
  const decodedLength = headerValue(headers, 'x-amz-decoded-content-length') ?? '-1';
  const trailer = headerValue(headers, 'x-amz-trailer')?.trim().toLowerCase() ?? null;
  if (!/^(?:-1|\d{1,15})$/.test(decodedLength)) return deny('SIGN_CHUNKS_INVALID');
  if (trailer !== null && trailerLength(trailer) === undefined) return deny('SIGN_CHUNKS_INVALID');
  const length = Number(decodedLength);
  return { length, claimedHash: null, chunks: { decodedLength: length, trailer } };
}

/** The rest of a Content-Encoding without `aws-chunked`, which is undone here; empty when nothing is left. */
export function withoutAwsChunked(encoding: string): string {
  return encoding
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding.toLowerCase() !== 'aws-chunked')
    .join(', ');
}

function isAwsChunked(encoding: string): boolean {
  return encoding.toLowerCase().includes('aws-chunked');
}
