import type { HeaderList } from '../../core/headers.ts';
import { type AnswerHead, invalid, readAnswerHead } from './answer-head.ts';
import { ChunkedBody } from './chunked-body.ts';

/** Told what has come, in order. What it is given of a body is its own. */
export interface AnswerEvents {
  /** An interim answer (RFC 9110 section 15.2); another follows. */
  interim(head: AnswerHead): void;
  /** @param body all of it as Latin-1, where it came with the header section; null: it is to come */
  answered(head: AnswerHead, body: string | null): void;
  /** A piece of the body. */
  received(piece: Buffer): void;
  /**
   * The answer is complete.
   * @param clean whether nothing came behind it, and nothing is to be feared to
   */
  ended(trailers: HeaderList, clean: boolean): void;
}

/** Bytes of a header section. Twice what clients may send: cookies are set one by one. */
const HEADER_BYTES = 65_536;

const END_OF_HEAD = Buffer.from('\r\n\r\n');
const BEGINNING = 'HTTP/1.';
const NO_TRAILERS: HeaderList = [];

const Part = { idle: 0, head: 1, length: 2, chunks: 3, untilEnd: 4 } as const;

/** Reads answers to one request after another from the bytes of a connection, wherever they are cut. */
export class AnswerReader {
  readonly #events: AnswerEvents;
  readonly #receive: (piece: Buffer) => void;
  #part: (typeof Part)[keyof typeof Part] = Part.idle;
  #toHead = false;
  /** What has come of a header section that is not complete. */
  #head = '';
  /** Bytes of a body of known length still to come. */
  #left = 0;
  #chunks: ChunkedBody | null = null;

  constructor(events: AnswerEvents) {
    this.#events = events;
    this.#receive = (piece) => events.received(Buffer.from(piece));
  }

  /** An answer is waited for or being read. */
  get expecting(): boolean {
    return this.#part !== Part.idle;
  }

  /** Whether nothing has come yet of the answer that is waited for, interim ones apart. */
  get waiting(): boolean {
    return this.#part === Part.head;
  }

  /** Waits for the answer to a request with this method, which decides whether it has a body (RFC 9112 section 6.3). */
  expect(method: string): void {
    this.#part = Part.head;
    this.#toHead = method === 'HEAD';
    this.#head = '';
  }

  /** The answer is not wanted any more. */
  stop(): void {
    this.#part = Part.idle;
  }

  /**
   * Reads on. What comes behind the answer is thrown away: it never belongs to the next one.
   *
   * @param bytes copied where they are kept
   * @throws UpstreamFault UPSTREAM_RESPONSE_INVALID
   */
  read(bytes: Buffer): void {
    for (let at = 0; at < bytes.length && this.#part !== Part.idle; ) {
      at = this.#part === Part.head ? this.#readHead(bytes, at) : this.#readBody(bytes, at);
    }
  }

  /** The connection has come to its end, and some answers with it (RFC 9112 section 6.3, rule 8). */
  end(): void {
    if (this.#part === Part.untilEnd) this.#finish(NO_TRAILERS, false);
  }

  /** @returns where reading goes on */
  #readHead(bytes: Buffer, from: number): number {
    // The empty line that ends it may have been cut in two.
    const overlap = this.#head.slice(-3);
    let text: string;
    let next: number;
    if (overlap === '') {
      const end = bytes.indexOf(END_OF_HEAD, from);
      if (end < 0) return this.#keepHead(bytes, from);
      text = bytes.toString('latin1', from, end);
      next = end + END_OF_HEAD.length;
    } else {
      const joint = overlap + bytes.toString('latin1', from, bytes.length);
      const end = joint.indexOf('\r\n\r\n');
      if (end < 0) return this.#keepHead(bytes, from);
      text = this.#head.slice(0, -overlap.length) + joint.slice(0, end);
      next = from + end + END_OF_HEAD.length - overlap.length;
    }
    if (text.length > HEADER_BYTES) throw tooLarge();
    this.#head = '';
    return this.#takeHead(readAnswerHead(text), bytes, next);
  }

  #keepHead(bytes: Buffer, from: number): number {
    if (this.#head.length + bytes.length - from > HEADER_BYTES) throw tooLarge();
    const more = bytes.toString('latin1', from, bytes.length);
    // Whoever ends lines so will never send the empty line that is waited for (RFC 9112 section 2.2).
    if (/[^\r]\n/.test(this.#head.slice(-1) + more)) throw invalid('a line ends without CR');
    this.#head += more;
    // What speaks another protocol waits for us to say something, and may never come to an empty line.
    if (!this.#head.startsWith(BEGINNING.slice(0, this.#head.length))) throw invalid('it is not HTTP/1');
    return bytes.length;
  }

  #takeHead(head: AnswerHead, bytes: Buffer, at: number): number {
    const { status, contentLength } = head;
    if (status === 101) throw invalid('it switches protocols unasked');
    if (status < 200) {
      this.#events.interim(head);
      return at;
    }
    const bodiless = this.#toHead || status === 204 || status === 304;
    const length = bodiless ? 0 : contentLength;
    if (length >= 0) {
      const end = at + length;
      if (end <= bytes.length) {
        this.#part = Part.length;
        this.#events.answered(head, bytes.toString('latin1', at, end));
        const clean = end === bytes.length && !(bodiless && announcesBody(head));
        if (this.expecting) this.#finish(NO_TRAILERS, clean);
        return bytes.length;
      }
      this.#part = Part.length;
      this.#left = length;
    } else if (head.chunked) {
      this.#part = Part.chunks;
      this.#chunks = new ChunkedBody();
    } else {
      this.#part = Part.untilEnd;
    }
    this.#events.answered(head, null);
    return at;
  }

  #readBody(bytes: Buffer, from: number): number {
    if (this.#part === Part.chunks) {
      const chunks = this.#chunks as ChunkedBody;
      const next = from + chunks.read(bytes, from, this.#receive);
      // Whoever was given a piece may have stopped the reading.
      if (!chunks.over || !this.expecting) return next;
      this.#finish(chunks.trailers, next === bytes.length);
      return bytes.length;
    }
    if (this.#part === Part.untilEnd) {
      this.#receive(from === 0 ? bytes : bytes.subarray(from));
      return bytes.length;
    }
    const next = Math.min(from + this.#left, bytes.length);
    this.#left -= next - from;
    const over = this.#left === 0;
    this.#receive(bytes.subarray(from, next));
    if (!over || !this.expecting) return next;
    this.#finish(NO_TRAILERS, next === bytes.length);
    return bytes.length;
  }

  #finish(trailers: HeaderList, clean: boolean): void {
    this.#part = Part.idle;
    this.#chunks = null;
    this.#events.ended(trailers, clean);
  }
}

/**
 * Whether an answer that has no body speaks of one: some upstreams then send it all the same, and late, when it would be taken
 * for the answer to whoever comes next. A 304 commonly has the length of what it stands for (RFC 9110 section 8.6).
 */
function announcesBody({ status, chunked, contentLength }: AnswerHead): boolean {
  return chunked || (contentLength > 0 && status !== 304);
}

function tooLarge(): Error {
  return invalid('its header section is too large');
}
