import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import {
  continueRequest,
  type Exchange,
  inboundOf,
  outboundOf,
  routeOf,
  waitForClient,
} from '../core/exchange.ts';
import type { HeaderList } from '../core/headers.ts';
import type { OutboundRequest } from '../core/outbound.ts';
import { deny, type Refusal } from '../core/refusal.ts';
import type { SigningPlan } from '../core/signing.ts';
import { type ClientBody, readClientBody } from './client-body.ts';
import { createChunkDecoder, decodeChunks } from './decode-chunks.ts';
import { type Chunking, encodeChunks, encodedLength } from './encode-chunks.ts';
import type { BodyHolder } from './hold-body.ts';
import type { HeadSignature } from './sign-head.ts';
import { verifyHash } from './verify-hash.ts';

type Transform = NonNullable<OutboundRequest['transform']>;

/** A body as it will be sent, and what the signature says of it. */
export interface Payload {
  /** Value of `x-amz-content-sha256`: a hash, or the name of the way in which the body is signed. */
  readonly contentHash: string;
  readonly contentLength: number;
  /** Whether it goes out as `aws-chunked`. */
  readonly chunked: boolean;
  /** Further headers that describe it. */
  readonly headers: HeaderList;
  readonly body: IncomingMessage | Buffer | null;
  /**
   * What it becomes as it streams; null: it stays as it is.
   * @param head the signature that those of the chunks go on from
   */
  readonly transform: ((head: HeadSignature) => Transform) | null;
}

const EMPTY_HASH = hash('sha256', '', 'hex');
const NO_BODY = wholePayload(null, EMPTY_HASH, []);

/**
 * Decides what of the body is signed, and holds it where its hash must be known first. At once where there is no body,
 * or one that is signed as it passes.
 */
export function preparePayload(
  exchange: Exchange,
  plan: SigningPlan,
  holder: BodyHolder,
): Payload | Refusal | Promise<Payload | Refusal> {
  const { body, contentLength } = outboundOf(exchange);
  if (body === null) return NO_BODY;
  // Held already: the request is signed again for another target.
  if (Buffer.isBuffer(body)) return wholePayload(body, hash('sha256', body, 'hex'), []);

  const client = readClientBody(inboundOf(exchange).headers, contentLength);
  if ('code' in client) return client;
  const { claimedHash, length } = client;
  if (plan.payload === 'hash' && (claimedHash === null || length <= holder.bufferBytes)) {
    return hold(exchange, body, client, holder);
  }
  if (length < 0) return deny('SIGN_LENGTH_REQUIRED');
  if (claimedHash !== null) {
    return {
      ...wholePayload(null, claimedHash, []),
      body,
      contentLength: length,
      transform: () => (content) => verifyHash(content, length, claimedHash),
    };
  }
  return passThrough(body, client, plan.payload === 'stream');
}

function wholePayload(body: Buffer | null, contentHash: string, headers: HeaderList): Payload {
  return { contentHash, contentLength: body?.length ?? 0, chunked: false, headers, body, transform: null };
}

/** Reads all of it into memory. A checksum that followed the content becomes a header, for the upstream to check. */
function hold(
  exchange: Exchange,
  body: IncomingMessage,
  { length, claimedHash, chunks }: ClientBody,
  holder: BodyHolder,
): Promise<Payload | Refusal> {
  const decoder = chunks === null ? null : createChunkDecoder(chunks);
  const trailer = chunks?.trailer ?? null;
  continueRequest(exchange);
  const holding = holder.hold(body, {
    length,
    bodyBytes: routeOf(exchange).bodyBytes,
    decoder,
    onRelease: (release) => exchange.response.once('close', release),
  });
  return waitForClient(exchange, holding, (held) => {
    if ('code' in held) return held;
    if (claimedHash !== null && claimedHash !== held.hash) return deny('SIGN_PAYLOAD_MISMATCH');
    const headers = trailer === null || decoder === null ? [] : [trailer, decoder.trailerValue];
    return wholePayload(held.bytes, held.hash, headers);
  });
}

/** In constant memory: chunk by chunk with `stream`, else without a signature of its own. */
function passThrough(body: IncomingMessage, { length, chunks }: ClientBody, signed: boolean): Payload {
  const decoder = chunks === null ? null : createChunkDecoder(chunks);
  const decode: Transform = (content) => (decoder === null ? content : decodeChunks(content, decoder));
  const trailer = chunks?.trailer ?? null;
  if (!signed && trailer === null) {
    return {
      ...wholePayload(null, 'UNSIGNED-PAYLOAD', []),
      body,
      contentLength: length,
      transform: decoder === null ? null : () => decode,
    };
  }
  const chunking: Chunking = { signed, trailer };
  return {
    contentHash: signed
      ? `STREAMING-AWS4-HMAC-SHA256-PAYLOAD${trailer === null ? '' : '-TRAILER'}`
      : 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
    contentLength: encodedLength(length, chunking),
    chunked: true,
    headers: [
      'x-amz-decoded-content-length',
      String(length),
      ...(trailer === null ? [] : ['x-amz-trailer', trailer]),
    ],
    body,
    transform: (head) => (content) =>
      encodeChunks(decode(content), chunking, signed ? head : null, () => decoder?.trailerValue ?? ''),
  };
}
