import { createHash, createHmac } from 'node:crypto';

export interface Rejection {
  readonly valid: false;
  /** The code that AWS answers. */
  readonly code: string;
  readonly reason: string;
}

/** Follows a body as it arrives. */
export interface PayloadCheck {
  update(bytes: Buffer): void;
  /** When all has arrived: null where it is what was signed. */
  end(): Rejection | null;
  /** Bytes of content so far, chunk framing not counted. */
  readonly length: number;
  /** SHA-256 of that content in hexadecimal, once ended. */
  readonly contentHash: string;
}

/** A body that is sent as it is; `judge` gets its hash. */
export function checkBody(judge: (hash: string) => Rejection | null): PayloadCheck {
  const hash = createHash('sha256');
  let length = 0;
  let contentHash = '';
  return {
    update(bytes) {
      length += bytes.length;
      hash.update(bytes);
    },
    end() {
      contentHash = hash.digest('hex');
      return judge(contentHash);
    },
    get length() {
      return length;
    },
    get contentHash() {
      return contentHash;
    },
  };
}

export interface ChunkContext {
  readonly key: Buffer;
  readonly date: string;
  readonly scope: string;
  /** Signature of the head. */
  readonly seed: string;
  readonly decodedLength: number;
  /** Name of the header that follows the last chunk. */
  readonly trailer: string | null;
  /** Whether the chunks carry signatures. */
  readonly signed: boolean;
}

const EMPTY = createHash('sha256').digest('hex');
const CRLF = Buffer.from('\r\n');

/** What the reader of chunks asks for next: a line without its end, or up to so many bytes. */
type Wanted = 'line' | number;

/**
 * An `aws-chunked` body: each chunk signed over its bytes and the signature before it ("Signature calculations for the
 * Authorization header: transferring payload in multiple chunks", and "trailing headers", Amazon S3 API Reference).
 */
export function checkChunks(context: ChunkContext): PayloadCheck {
  const content = createHash('sha256');
  let length = 0;
  let contentHash = '';
  const reader = readChunks(context, (part) => {
    content.update(part);
    length += part.length;
  });
  let pending: Buffer = Buffer.alloc(0);
  let step = reader.next();

  const take = (wanted: Wanted): Buffer | null => {
    if (wanted !== 'line') {
      const part = pending.subarray(0, wanted);
      pending = pending.subarray(part.length);
      return part.length === 0 ? null : part;
    }
    const end = pending.indexOf(CRLF);
    if (end < 0) return null;
    const line = pending.subarray(0, end);
    pending = pending.subarray(end + CRLF.length);
    return line;
  };

  return {
    update(bytes) {
      pending = pending.length === 0 ? bytes : Buffer.concat([pending, bytes]);
      while (step.done !== true) {
        const part = take(step.value);
        if (part === null) return;
        step = reader.next(part);
      }
    },
    end() {
      contentHash = content.digest('hex');
      if (step.done !== true) return incomplete('the body ends before its chunks do');
      if (step.value !== null) return step.value;
      if (pending.length > 0) return incomplete('there are bytes after the last chunk');
      return length === context.decodedLength
        ? null
        : incomplete('the content is not as long as x-amz-decoded-content-length says');
    },
    get length() {
      return length;
    },
    get contentHash() {
      return contentHash;
    },
  };
}

function* readChunks(
  context: ChunkContext,
  onContent: (part: Buffer) => void,
): Generator<Wanted, Rejection | null, Buffer> {
  const { signed, trailer } = context;
  let previous = context.seed;
  const sign = (kind: string, ...hashes: readonly string[]): string =>
    createHmac('sha256', context.key)
      .update([`AWS4-HMAC-SHA256-${kind}`, context.date, context.scope, previous, ...hashes].join('\n'))
      .digest('hex');

  for (let last = false; !last; ) {
    const line = (yield 'line').toString('latin1');
    const form = signed ? /^([0-9a-f]{1,8});chunk-signature=([0-9a-f]{64})$/ : /^([0-9a-f]{1,8})$/;
    const [, size, signature = ''] = form.exec(line) ?? [];
    if (size === undefined) return incomplete('a chunk does not begin as chunks do');
    let left = Number.parseInt(size, 16);
    last = left === 0;
    const hash = createHash('sha256');
    while (left > 0) {
      const part = yield left;
      left -= part.length;
      hash.update(part);
      onContent(part);
    }
    if (signed && sign('PAYLOAD', EMPTY, hash.digest('hex')) !== signature) {
      return mismatch('a chunk is not the one that was signed');
    }
    previous = signature;
    if (!last && (yield 'line').length > 0) return incomplete('a chunk is longer than it says');
  }
  if (trailer !== null) {
    const line = (yield 'line').toString('latin1');
    if (!line.startsWith(`${trailer}:`)) return incomplete('the announced trailer is missing');
    if (signed) {
      const hash = createHash('sha256').update(`${line}\n`).digest('hex');
      const wanted = `x-amz-trailer-signature:${sign('TRAILER', hash)}`;
      if ((yield 'line').toString('latin1') !== wanted) return mismatch('the trailer was changed');
    }
  }
  return (yield 'line').length === 0 ? null : incomplete('the body does not end after its last chunk');
}

function incomplete(reason: string): Rejection {
  return { valid: false, code: 'IncompleteBody', reason };
}

function mismatch(reason: string): Rejection {
  return { valid: false, code: 'SignatureDoesNotMatch', reason };
}
